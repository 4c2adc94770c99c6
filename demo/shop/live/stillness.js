/** Measures for how long nothing has waited anywhere. What can't be seen counts as waiting. */
export function stillness() {
  let since;

  return ({ callsOpen, buffer, relay }, now) => {
    const still = callsOpen === 0 && buffer?.waiting === 0 && relay?.records === 0;
    since = still ? (since ?? now) : undefined;
    return since === undefined ? 0 : now - since;
  };
}

/** What this sandbox tells of itself, and takes as orders. */
export async function look() {
  const [{ users, events }, calls, dropped, control] = await Promise.all(
    ['/records', '/calls', '/dropped', '/control'].map(get),
  );
  return { users, events, calls, dropped, control };
}

// One order after the other: each builds on what the one before it has left.
let ordered = Promise.resolve();

/** Changes how it behaves; what is not named stays as it is. Rejects, saying why, where it takes no such order. */
export function order(change) {
  const made = ordered.then(() => send(change));
  // Whoever gave the order is told; the next one is not to fail with it.
  ordered = made.catch(() => undefined);
  return made;
}

async function send(change) {
  const control = { ...(await get('/control')), ...change };
  const response = await fetch('/control', { method: 'POST', body: JSON.stringify(control) });
  if (!response.ok) throw new Error((await response.json()).error);
}

export async function empty() {
  await fetch('/records', { method: 'DELETE' });
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

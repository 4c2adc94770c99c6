/** What this sandbox tells of itself, and takes as orders. */
export async function look() {
  const [{ users, events }, calls, dropped, control] = await Promise.all(
    ['/records', '/calls', '/dropped', '/control'].map(get),
  );
  return { users, events, calls, dropped, control };
}

/** Changes how it behaves; what is not named stays as it is. */
export async function order(change) {
  const control = { ...(await get('/control')), ...change };
  await fetch('/control', { method: 'POST', body: JSON.stringify(control) });
}

export async function empty() {
  await fetch('/records', { method: 'DELETE' });
}

async function get(path) {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${path} answered ${response.status}`);
  return response.json();
}

/** WebEngage as the sandbox plays it, seen from a page. */
export function webengage(url) {
  const get = async (path) => {
    const response = await fetch(url + path);
    if (!response.ok) throw new Error(`${path} answered ${response.status}`);
    return response.json();
  };

  return {
    async look() {
      const [{ users, events }, calls, { fault }] = await Promise.all([
        get('/records'),
        get('/calls'),
        get('/control'),
      ]);
      return { users, events, calls, fault };
    },

    /** Orders a fault, or none. What else is set at the sandbox stays as it is. */
    async order(fault) {
      const control = { ...(await get('/control')), fault };
      await fetch(`${url}/control`, { method: 'POST', body: JSON.stringify(control) });
    },
  };
}

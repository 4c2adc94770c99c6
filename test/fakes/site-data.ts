/** What the browser keeps for the site under names that begin so, in all the places there are. */
export async function keptUnder(name: string) {
  const databases = await indexedDB.databases();
  return {
    databases: databases.map((database) => database.name).filter((each) => each?.startsWith(name)),
    local: Object.entries(localStorage).filter(([key]) => key.startsWith(name)),
    session: Object.keys(sessionStorage).filter((key) => key.startsWith(name)),
    cookies: document.cookie,
    caches: await caches.keys(),
  };
}

export const NOTHING_KEPT = { databases: [], local: [], session: [], cookies: '', caches: [] };

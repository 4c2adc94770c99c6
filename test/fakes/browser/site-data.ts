import { expect } from 'vitest';

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

/** All that lies in a tracker's database, by its keys. */
export async function stateOf(name: string): Promise<object> {
  const done = <T>(request: IDBRequest<T>): Promise<T> =>
    new Promise((resolve, reject) => {
      request.onsuccess = () => resolve(request.result);
      request.onerror = () => reject(request.error);
    });
  const database = await done(indexedDB.open(name));
  const store = database.transaction('records').objectStore('records');
  const [keys, values] = await Promise.all([done(store.getAllKeys()), done(store.getAll())]);
  database.close();
  return Object.fromEntries(keys.map((key, at) => [key, values[at]]));
}

/** The same of a visitor who has opted out once. */
export const MARK_ALONE = { visitor: { choices: 1, changes: expect.any(Number) } };

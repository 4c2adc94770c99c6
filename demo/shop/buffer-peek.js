const STORE = 'records';
// The rows' keys are numbers, the names of state are strings; strings sort after all numbers.
const ROWS = IDBKeyRange.upperBound('');

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * Looks into the tracker's database, for what the tracker itself does not tell, and never changes it.
 * The answer rejects as long as the tracker has not made the database.
 */
export function bufferPeek(name) {
  let connection;

  async function connect() {
    const request = indexedDB.open(name);
    // Not there yet. It is the tracker's to create: ours would lack what it puts in.
    request.onupgradeneeded = () => request.transaction.abort();
    const database = await promised(request);
    database.onclose = forget;
    database.onversionchange = () => {
      database.close();
      forget();
    };
    return database;
  }

  function forget() {
    connection = undefined;
  }

  return async () => {
    connection ??= connect();
    connection.catch(forget);
    const store = (await connection).transaction(STORE).objectStore(STORE);
    const [newest, pace, { buffered }] = await Promise.all([
      promised(store.openCursor(ROWS, 'prev')),
      promised(store.get('pace')),
      webengageRelay.stats(),
    ]);
    return { waiting: buffered, newest: newest?.value.at(-1).record, pace };
  };
}

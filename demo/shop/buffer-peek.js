const STORE = 'records';
// The records' keys are numbers, the names of state are strings; strings sort after all numbers.
const RECORDS = IDBKeyRange.upperBound('');

const promised = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * Looks into the tracker's database, and never changes it.
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
    const [waiting, newest, pace] = await Promise.all([
      promised(store.count(RECORDS)),
      promised(store.openCursor(RECORDS, 'prev')),
      promised(store.get('pace')),
    ]);
    return { waiting, newest: newest?.value.record, pace };
  };
}

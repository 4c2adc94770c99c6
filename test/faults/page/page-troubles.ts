// What can be wrong with a browser, set up before the tracker loads. Each function is sent to the page as text: it sees
// the page and nothing of this file's.

type PageWithHandles = {
  /** All open connections are lost, with a word from the browser: for good, or a new one works. */
  loseConnections: (forGood: boolean) => void;
  /** Sets the page's clock off by so much. */
  setClockOff: (byMs: number) => void;
};

function indexedDbMissing(): void {
  Object.defineProperty(globalThis, 'indexedDB', { value: undefined, configurable: true });
}

function openThrows(): void {
  IDBFactory.prototype.open = () => {
    throw new DOMException('denied', 'SecurityError');
  };
}

// https://bugs.webkit.org/show_bug.cgi?id=226547
function openNeverAnswers(): void {
  IDBFactory.prototype.open = () => new EventTarget() as IDBOpenDBRequest;
}

/** The error arrives as it does from a full disk: on the abort of the transaction. */
function diskFull(): void {
  const full = (transaction: IDBTransaction) => {
    Object.defineProperty(transaction, 'error', {
      value: new DOMException('the disk is full', 'QuotaExceededError'),
    });
    queueMicrotask(() => {
      try {
        transaction.abort();
      } catch {
        // An earlier write has aborted it.
      }
    });
  };
  // What was committed can't be aborted any more.
  IDBTransaction.prototype.commit = () => {};
  for (const name of ['add', 'put', 'delete', 'clear'] as const) {
    const write = IDBObjectStore.prototype[name] as (...call: unknown[]) => IDBRequest;
    Object.assign(IDBObjectStore.prototype, {
      [name](this: IDBObjectStore, ...call: unknown[]) {
        const request = write.apply(this, call);
        full(this.transaction);
        return request;
      },
    });
  }
}

function connectionsCanBeLost(): void {
  const open = new Set<IDBDatabase>();
  const lost = new Set<IDBDatabase>();
  let forGood = false;
  const { transaction } = IDBDatabase.prototype;
  const begin = IDBFactory.prototype.open;
  IDBFactory.prototype.open = function (...call) {
    const request = begin.apply(this, call);
    request.addEventListener('success', () => open.add(request.result));
    return request;
  };
  IDBDatabase.prototype.transaction = function (...call) {
    if (forGood || lost.has(this)) throw new DOMException('the connection is closing', 'InvalidStateError');
    return transaction.apply(this, call);
  };
  (globalThis as unknown as PageWithHandles).loseConnections = (always) => {
    forGood = always;
    for (const database of open) {
      lost.add(database);
      database.dispatchEvent(new Event('close'));
    }
  };
}

function locksMissing(): void {
  Object.defineProperty(Navigator.prototype, 'locks', { value: undefined, configurable: true });
}

function localStorageDenied(): void {
  Object.defineProperty(globalThis, 'localStorage', {
    get: () => {
      throw new DOMException('denied', 'SecurityError');
    },
    configurable: true,
  });
}

function clockCanBeOff(): void {
  const TrueDate = Date;
  let off = 0;
  const now = () => TrueDate.now() + off;
  globalThis.Date = new Proxy(TrueDate, {
    construct: (target, given) => Reflect.construct(target, given.length === 0 ? [now()] : given),
    get: (target, name) => (name === 'now' ? now : Reflect.get(target, name)),
  });
  (globalThis as unknown as PageWithHandles).setClockOff = (byMs) => {
    off = byMs;
  };
}

const TROUBLES = {
  indexedDbMissing,
  openThrows,
  openNeverAnswers,
  diskFull,
  connectionsCanBeLost,
  locksMissing,
  localStorageDenied,
  clockCanBeOff,
};

export type Trouble = keyof typeof TROUBLES;

/** A script that makes these troubles in the page it stands in. */
export function troubleScript(names: readonly string[]): string {
  return names.map((name) => `(${TROUBLES[name as Trouble]})();`).join('\n');
}

/** For the pages with `connectionsCanBeLost`. */
export const loseConnections = (forGood: boolean): void =>
  (globalThis as unknown as PageWithHandles).loseConnections(forGood);

/** For the pages with `clockCanBeOff`. */
export const setClockOff = (byMs: number): void =>
  (globalThis as unknown as PageWithHandles).setClockOff(byMs);

type Request = {
  readonly name: string;
  /** The tab that asks. */
  readonly clientId: string;
  readonly task: () => Promise<unknown>;
  readonly resolve: (value: unknown) => void;
  readonly reject: (why: unknown) => void;
};

/** The Web Locks of one name, for the tabs of one browser: first come, first served; they honour `signal`. */
export function fakeLocks() {
  const waiting: Request[] = [];
  let holder: Request | undefined;
  let tabs = 0;

  function grantNext(): void {
    if (holder !== undefined) return;
    const next = waiting.shift();
    if (next !== undefined) grant(next);
  }

  function grant(request: Request): void {
    holder = request;
    const over = () => {
      if (holder === request) holder = undefined;
      grantNext();
    };
    Promise.resolve()
      .then(request.task)
      .then(
        (value) => {
          request.resolve(value);
          over();
        },
        (why) => {
          request.reject(why);
          over();
        },
      );
  }

  function tab() {
    const clientId = `tab ${++tabs}`;
    let lives = true;
    const request = (name: string, { signal }: LockOptions, task: () => Promise<unknown>) =>
      new Promise((resolve, reject) => {
        if (!lives) return;
        const own = { name, clientId, task, resolve, reject };
        if (signal?.aborted) return reject(signal.reason);
        waiting.push(own);
        signal?.addEventListener('abort', () => {
          const at = waiting.indexOf(own);
          if (at < 0) return;
          waiting.splice(at, 1);
          reject(signal.reason);
        });
        grantNext();
      });
    const query = async () => ({ held: holder ? [holder] : [] });
    return {
      locks: { request, query } as unknown as LockManager,
      /** Dies, and lets go of what it held and asked for. */
      die: () => {
        lives = false;
        for (const own of waiting.filter((each) => each.clientId === clientId))
          waiting.splice(waiting.indexOf(own), 1);
        if (holder?.clientId === clientId) holder = undefined;
        grantNext();
      },
    };
  }

  return { tab, isHeld: () => holder !== undefined };
}

import { MAX_BATCH_RECORDS, MAX_REQUEST_RECORDS } from '../contract/batch.ts';

/** Options of a client for servers. */
export type ServerClientOptions = {
  /** The relay's address, such as `https://t.example.com`. Absolute, http or https. The token goes there: use https. */
  readonly endpoint: string;

  /** The relay's `SERVER_TOKEN`, or one of its `SERVER_TOKENS`. It is sent to `endpoint` alone, and is in no error. */
  readonly token: string;

  /**
   * A name for the system that sends. Clients with the same name share their `messageId`s, in all processes.
   * Give two systems whose ids may coincide two names.
   *
   * @default 'default'
   */
  readonly source?: string;

  /**
   * Records that are sent without waiting for more. While a request is under way, others gather, and up to 400 go
   * together. From 1 to 400.
   *
   * @default 25
   */
  readonly batchSize?: number;

  /**
   * How long a record may wait for others before it is sent anyway, in milliseconds.
   * From 0 to 60000.
   *
   * @default 200
   */
  readonly maxWaitMs?: number;

  /**
   * How long a request may take, in milliseconds. After that it is repeated with the same ids.
   * From 1000 to 120000.
   *
   * @default 15000
   */
  readonly timeoutMs?: number;

  /**
   * How long to try, in milliseconds, while the relay can't be reached or is busy. The call then rejects.
   * With a journal the record is kept and tried further, and `onError` gets the reason. From 0; `Infinity` never gives up.
   *
   * @default 300000
   */
  readonly giveUpAfterMs?: number;

  /**
   * Memory for records that are not with the relay, in bytes. Beyond that, a call waits until there is room.
   * So await your calls: each that waits needs memory of its own. From 1048576.
   *
   * @default 67108864
   */
  readonly maxBufferedBytes?: number;

  /**
   * Keeps a serverless invocation alive, as `ctx.waitUntil` does. Called with the promise of a flush, which starts at
   * the end of the current task and never rejects. `onError` then gets the reason of each call that
   * rejects, and none of these is an unhandled rejection.
   *
   * @default none
   */
  readonly waitUntil?: (flushed: Promise<void>) => void;

  /**
   * A folder on disk for records that are not with the relay, such as `./webengage.journal`. For Node from 20.16, Deno and Bun.
   * A call then resolves once its record is on disk, and the next process sends what is left. Each process needs a
   * folder of its own.
   *
   * @default none
   */
  readonly journal?: string;

  /**
   * Gets what no call's promise can report: a record from the journal that the relay rejected, a journal that can't
   * be opened, and, once a minute, a problem that holds the journal's records back.
   *
   * @default writes the message to `console.error`
   */
  readonly onError?: (error: Error) => void;
};

/** Options with all defaults filled in. */
export type Settings = Required<Omit<ServerClientOptions, 'journal' | 'waitUntil'>> &
  Pick<ServerClientOptions, 'journal' | 'waitUntil'>;

/** The default, the minimum and the maximum of each number. */
const NUMBERS = {
  batchSize: [MAX_BATCH_RECORDS, 1, MAX_REQUEST_RECORDS],
  maxWaitMs: [200, 0, 60_000],
  timeoutMs: [15_000, 1_000, 120_000],
  giveUpAfterMs: [300_000, 0, Number.POSITIVE_INFINITY],
  maxBufferedBytes: [64 * 1024 * 1024, 1024 * 1024, Number.POSITIVE_INFINITY],
} as const;

const OTHERS = ['endpoint', 'token', 'source', 'waitUntil', 'journal', 'onError'];

type Given = { readonly [name: string]: unknown };

function mustBe(name: string, rule: string, value: unknown): never {
  throw new RangeError(`${name} must be ${rule}, not ${typeof value === 'string' ? `"${value}"` : value}`);
}

function numberOf(name: keyof typeof NUMBERS, given: Given): number {
  const [otherwise, least, most] = NUMBERS[name];
  const value = given[name] ?? otherwise;
  if (typeof value === 'number' && value >= least && value <= most) return value;
  return mustBe(
    name,
    most < Number.POSITIVE_INFINITY ? `from ${least} to ${most}` : `${least} or more`,
    value,
  );
}

/** Fills in the defaults. Throws a `RangeError` that names the option and the rule; never the token. */
export function resolveOptions(options: ServerClientOptions): Settings {
  const given: Given = { ...options };
  for (const name of Object.keys(given))
    if (!(name in NUMBERS) && !OTHERS.includes(name)) throw new RangeError(`${name} is not an option`);
  // The match leaves out slashes at the end.
  const endpoint = /^(https?:\/\/[^/?#\s][^?#\s]*?)\/*$/i.exec(`${given.endpoint}`)?.[1];
  // Reading a secret from a file can leave a newline at its end, which no header can hold.
  const token = typeof given.token === 'string' ? given.token.trim() : '';
  const { source = 'default', journal, waitUntil, onError = report } = given;
  if (endpoint === undefined) return mustBe('endpoint', 'an http or https URL', given.endpoint);
  // Without the value, unlike all others: it may be a secret with a mistake in it.
  if (!/^[\x21-\x7e]+$/.test(token))
    throw new RangeError('token must be the SERVER_TOKEN of the relay, printable ASCII without spaces');
  if (typeof source !== 'string' || source === '') return mustBe('source', 'text', source);
  if (journal !== undefined && (typeof journal !== 'string' || journal === ''))
    return mustBe('journal', 'the path of a folder', journal);
  if (waitUntil !== undefined && typeof waitUntil !== 'function')
    return mustBe('waitUntil', 'a function', waitUntil);
  if (typeof onError !== 'function') return mustBe('onError', 'a function', onError);
  return {
    endpoint,
    token,
    source,
    batchSize: Math.floor(numberOf('batchSize', given)),
    maxWaitMs: numberOf('maxWaitMs', given),
    timeoutMs: numberOf('timeoutMs', given),
    giveUpAfterMs: numberOf('giveUpAfterMs', given),
    maxBufferedBytes: numberOf('maxBufferedBytes', given),
    onError: onError as Settings['onError'],
    ...(journal !== undefined && { journal }),
    ...(waitUntil !== undefined && { waitUntil: waitUntil as NonNullable<Settings['waitUntil']> }),
  };
}

const report = (error: Error): void => console.error(`webengage-relay: ${error.message}`);

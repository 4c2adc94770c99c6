import { type Question, type Reply, userRecord, usersCall, wordsOf } from './question.ts';

/** More than the relay ever puts into a call. */
const MAX_BYTES = 1024 * 1024;

// Where limits are usually set, so that a usual one is found in few calls.
const USUAL_BYTES = [
  ...[16_384, 32_768, 65_536, 100_000, 102_400, 128_000, 131_072, 200_000, 204_800, 250_000, 256_000],
  ...[262_144, 500_000, 512_000, 524_288, 1_000_000, MAX_BYTES],
];

// Closer than this, another call gains nothing.
const NEAR_BYTES = 1024;
const NEAR_SHARE = 1 / 64;

type Bounds = {
  /** The largest that was accepted; 0 if none was. */
  readonly accepted: number;
  /** The smallest that was too large; undefined if none was. */
  readonly refused: number | undefined;
};

/** The next size to try; undefined once the limit is known well enough, or a reply was neither yes nor no. */
export function nextSize(replies: readonly Reply[]): number | undefined {
  const bounds = boundsOf(replies);
  return bounds && sizeWithin(bounds);
}

function sizeWithin({ accepted, refused }: Bounds): number | undefined {
  if (refused === undefined) return accepted === 0 ? MAX_BYTES : undefined;
  const between = USUAL_BYTES.filter((bytes) => bytes > accepted && bytes < refused);
  if (between.length > 0) return between[Math.floor(between.length / 2)];
  // Most limits are of a usual size: one byte more shows it.
  if (USUAL_BYTES.includes(accepted) && refused > accepted + 1) return accepted + 1;
  const isNear = refused - accepted <= Math.max(NEAR_BYTES, accepted * NEAR_SHARE);
  return isNear ? undefined : Math.floor((accepted + refused) / 2);
}

/** Replays the sizes that these replies came to. Undefined if one of them is neither acceptance nor 413. */
function boundsOf(replies: readonly Reply[]): Bounds | undefined {
  let bounds: Bounds = { accepted: 0, refused: undefined };
  for (const { verdict } of replies) {
    const bytes = sizeWithin(bounds);
    if (bytes === undefined) return bounds;
    if (verdict === 'taken') bounds = { ...bounds, accepted: bytes };
    else if (verdict === 'too_large') bounds = { ...bounds, refused: bytes };
    else return undefined;
  }
  return bounds;
}

/** Pads a JSON object with spaces, which leave nothing behind in the account. */
export function padded(body: string, bytes: number): string {
  const missing = bytes - Buffer.byteLength(body);
  return missing > 0 ? `${body.slice(0, -1)}${' '.repeat(missing)}}` : body;
}

export const bodySize: Question<'largestBody'> = {
  asks: 'How large may a call be before it is answered 413?',
  calls: 16,
  next: (run, replies) => {
    const bytes = nextSize(replies);
    if (bytes === undefined) return undefined;
    const says = `one user, padded with spaces to ${bytes} bytes`;
    const call = usersCall(run, `size ${replies.length}`, says, userRecord(run, 'size'));
    return { ...call, body: padded(call.body, bytes) };
  },
  judge: ({ replies }) => {
    const bounds = boundsOf(replies);
    const odd = replies.find(({ verdict }) => verdict !== 'taken' && verdict !== 'too_large');
    const isDone = bounds !== undefined && sizeWithin(bounds) === undefined;
    if (!isDone) return { largestBody: { value: 'unknown', evidence: wordsOf(odd) } };
    const { accepted, refused } = bounds;
    if (accepted === 0)
      return { largestBody: { value: 'unknown', evidence: `${refused} bytes are answered 413` } };
    return {
      largestBody: {
        value: { acceptedBytes: accepted, refusedBytes: refused ?? null },
        evidence:
          refused === undefined
            ? `${accepted} bytes are accepted, the most that was tried`
            : `${accepted} bytes are accepted, ${refused} are answered 413`,
      },
    };
  },
};

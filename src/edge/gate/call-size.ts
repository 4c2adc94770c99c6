import { MINUTE_MS } from '../../pacing/minute.ts';

/**
 * How many bytes a call to WebEngage may have, as its answers taught it: WebEngage documents no limit. Between the largest
 * that was taken and the smallest that was refused as too large (413) the bound is found by halving.
 */
export type CallSize = {
  /** The largest that was taken since then; 0 where none was. */
  readonly taken: number;
  /** The smallest that was refused as too large. */
  readonly refused: number;
  /** When the bound was last moved. */
  readonly at: number;
  /** When a call about as large as the largest was taken last. */
  readonly takenAt: number;
};

// Nearer than that nothing is gained by trying.
const NEAR = 0.9;

// So often the gate is told that calls as large as the largest are still taken.
const TOLD_EVERY_MS = MINUTE_MS;

// So long after the last news a larger call is tried: a limit may have been raised, or was a proxy's that is gone.
const RAISE_AFTER_MS = 10 * MINUTE_MS;
const RAISE_BY = 1.5;

/** The most bytes of the next call; undefined where no call was ever too large. */
export function maxBytes(size: CallSize | undefined, now: number): number | undefined {
  if (size === undefined) return undefined;
  const { taken, refused } = raised(size, now);
  return taken >= refused * NEAR ? taken : Math.floor((taken + refused) / 2);
}

/**
 * A call of so many bytes was refused as too large. Where one as large was taken lately it is not the size, whatever the
 * status says.
 */
export function tooLarge(size: CallSize | undefined, bytes: number, now: number): CallSize {
  if (size === undefined) return { taken: 0, refused: bytes, at: now, takenAt: 0 };
  if (bytes > size.taken) return { ...size, refused: Math.min(bytes, raised(size, now).refused), at: now };
  const isContradicted = now - size.takenAt < RAISE_AFTER_MS;
  return isContradicted ? size : { taken: 0, refused: bytes, at: now, takenAt: 0 };
}

/** From how many bytes on a call that was taken is news. */
export function newsFrom({ taken, takenAt }: CallSize, now: number): number {
  return now - takenAt < TOLD_EVERY_MS ? taken : taken * NEAR;
}

/** A call of so many bytes was taken. */
export function fitted(size: CallSize, bytes: number, now: number): CallSize {
  const { taken, refused } = raised(size, now);
  if (bytes > taken) return { taken: bytes, refused: Math.max(refused, bytes + 1), at: now, takenAt: now };
  return bytes >= taken * NEAR ? { ...size, takenAt: now } : size;
}

function raised(size: CallSize, now: number): CallSize {
  const isOld = now - size.at >= RAISE_AFTER_MS;
  return isOld ? { ...size, refused: Math.max(size.refused, Math.ceil(size.taken * RAISE_BY)) } : size;
}

import { MINUTE_MS } from '../../pacing/minute.ts';

/**
 * How many bytes a call to WebEngage may have. WebEngage documents no limit, so the gate learns it from
 * answers: the bound is found by halving, between the largest accepted call and the smallest one that was too
 * large (413).
 */
export type CallSize = {
  /** The largest call accepted since the bound was first found or last found wrong; 0 if none was. */
  readonly taken: number;
  /** The smallest call that was too large, or a higher guess made since. */
  readonly refused: number;
  /** When the bound was last moved. */
  readonly at: number;
  /** When a call about as large as the largest was last accepted. */
  readonly takenAt: number;
};

// If the two bounds are closer than this, trying gains nothing.
const NEAR = 0.9;

// How often calls are reported to the gate that are as large as the largest accepted.
const REPORT_EVERY_MS = MINUTE_MS;

// How long after the last change of the bound a larger call is tried. A limit may have been raised, or the
// proxy that set it is gone.
const RAISE_AFTER_MS = 10 * MINUTE_MS;
const RAISE_BY = 1.5;

/** The most bytes of the next call. Undefined if no call was ever too large. */
export function maxBytes(size: CallSize | undefined, now: number): number | undefined {
  if (size === undefined) return undefined;
  const { taken, refused } = raised(size, now);
  return taken >= refused * NEAR ? taken : Math.floor((taken + refused) / 2);
}

/**
 * Learns from a call that was refused as too large. If one as large was accepted lately, its size is not the
 * reason, whatever the status says.
 */
export function tooLarge(size: CallSize | undefined, bytes: number, now: number): CallSize {
  if (size === undefined) return { taken: 0, refused: bytes, at: now, takenAt: 0 };
  if (bytes > size.taken) return { ...size, refused: Math.min(bytes, raised(size, now).refused), at: now };
  const isContradicted = now - size.takenAt < RAISE_AFTER_MS;
  return isContradicted ? size : { taken: 0, refused: bytes, at: now, takenAt: 0 };
}

/** From how many bytes on an accepted call must be reported to the gate. */
export function newsFrom({ taken, takenAt }: CallSize, now: number): number {
  return now - takenAt < REPORT_EVERY_MS ? taken : taken * NEAR;
}

/** Learns from a call that was accepted. */
export function fitted(size: CallSize, bytes: number, now: number): CallSize {
  const { taken, refused } = raised(size, now);
  if (bytes > taken) return { taken: bytes, refused: Math.max(refused, bytes + 1), at: now, takenAt: now };
  return bytes >= taken * NEAR ? { ...size, takenAt: now } : size;
}

function raised(size: CallSize, now: number): CallSize {
  const isOld = now - size.at >= RAISE_AFTER_MS;
  return isOld ? { ...size, refused: Math.max(size.refused, Math.ceil(size.taken * RAISE_BY)) } : size;
}

import { ALERT_NAMES, type AlertName, type Figures, type Notice } from './alert.ts';
import type { Condition, Conditions } from './conditions.ts';

/** An alert that has begun and not ended. */
export type ActiveAlert = {
  readonly since: number;
  /** Tells two beginnings apart, whatever the clock says. */
  readonly serial: number;
  /** As they were when it began. */
  readonly figures: Figures;
  /** Since when its condition has been gone. Null while it lasts. */
  readonly clearSince: number | null;
};

export type ActiveAlerts = { readonly [Name in AlertName]?: ActiveAlert };

// How long a condition must be gone before its alert ends. One that counts the events of five minutes is gone
// only five minutes after the last of them.
const CLEAR_MS = 5 * 60_000;
const COUNTED_CLEAR_MS = 10 * 60_000;
const COUNTED: readonly AlertName[] = ['dead_letters', 'tokens_refused', 'doubles_possible'];

/** The active alerts after a run, and a message for each that began or ended in it. */
export type Advanced = {
  /** The same object as before if nothing has changed. */
  readonly active: ActiveAlerts;
  readonly serial: number;
  readonly made: readonly Notice[];
};

/**
 * Begins an alert when its condition is on, and ends it when the condition has been off for some minutes. In
 * between it neither ends nor begins again, so a figure around its limit does not flap.
 */
export function advance(
  before: ActiveAlerts,
  lastSerial: number,
  conditions: Conditions,
  now: number,
): Advanced {
  let active = before;
  let serial = lastSerial;
  const made: Notice[] = [];
  for (const alert of ALERT_NAMES) {
    const was = active[alert];
    const is = nextOf(alert, was, conditions[alert], serial + 1, now);
    if (is === was) continue;
    const { [alert]: _, ...others } = active;
    active = is === undefined ? others : { ...others, [alert]: is };
    if (was === undefined && is !== undefined) {
      serial = is.serial;
      made.push(noticeOf(alert, is, 'begins', now));
    }
    if (was !== undefined && is === undefined) made.push(noticeOf(alert, was, 'ends', now));
  }
  return { active, serial, made };
}

function nextOf(
  alert: AlertName,
  was: ActiveAlert | undefined,
  { level, figures }: Condition,
  serial: number,
  now: number,
): ActiveAlert | undefined {
  if (was === undefined)
    return level === 'on' ? { since: now, serial, figures, clearSince: null } : undefined;
  if (level !== 'off') return was.clearSince === null ? was : { ...was, clearSince: null };
  // The clock may have been set back.
  const clearSince = Math.min(was.clearSince ?? now, now);
  if (now - clearSince >= (COUNTED.includes(alert) ? COUNTED_CLEAR_MS : CLEAR_MS)) return undefined;
  return clearSince === was.clearSince ? was : { ...was, clearSince };
}

/** The message that an alert begins or ends. The same alert always gives the same id. */
function noticeOf(
  alert: AlertName,
  { since, serial, figures }: ActiveAlert,
  state: Notice['state'],
  at: number,
): Notice {
  return { id: `${alert}-${since}-${serial}-${state}`, alert, state, since, at, figures };
}

/** The messages that all active alerts have begun, for a destination that did not get them. */
export function beginnings(active: ActiveAlerts, now: number): readonly Notice[] {
  return ALERT_NAMES.flatMap((alert) => {
    const is = active[alert];
    return is === undefined ? [] : [noticeOf(alert, is, 'begins', now)];
  });
}

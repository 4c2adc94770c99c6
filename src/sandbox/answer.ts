import { type DrawnFault, faultOf } from './chance.ts';
import type { Control } from './control.ts';
import { retryAfterOf } from './rate.ts';
import { type BulkPath, type Judged, judge } from './verdict.ts';

/** A call as it came. */
export type Call = {
  readonly license: string;
  readonly path: string;
  readonly authorization: string;
  readonly requestId: string;
  readonly body: string;
};

/** An answer. Its sender must still wait for `delayMs`. */
export type Reply = {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
  /** The answer breaks off. */
  readonly cut: boolean;
  readonly delayMs: number;
};

/** What a call is judged by, besides itself and the orders. */
export type Scene = {
  readonly now: number;
  /** From 0 to 1: draws this call's fault where several are ordered. */
  readonly chance: number;
  readonly key: string;
  readonly license: string;
  readonly requestsPerMinute: number;
  /** Calls that have arrived in the limit's minute before this one. */
  readonly arrivals: number;
  /** What came before under this call's `x-request-id`, within 4 hours. */
  readonly bodyBefore: string | undefined;
};

export type Answer = {
  readonly reply: Reply;
  /** How many records the call brought. */
  readonly sent: number;
  /** The records that this call adds, the silently dropped ones among them. */
  readonly records: readonly Judged[];
  /** From now on its `x-request-id` stands for these records. */
  readonly settlesId: boolean;
  /** Records that were lost because another call had their `x-request-id`. */
  readonly swallowed: number;
};

type Made = Omit<Answer, 'sent'>;

const JSON_TYPE = { 'Content-Type': 'application/json' };
const PAGE_TYPE = { 'Content-Type': 'text/html' };

/** Decides what WebEngage answers to one call, and what it keeps of it. */
export function answer(control: Control, call: Call, scene: Scene): Answer {
  const verdict = judge(call.path as BulkPath, call.body, control);
  const drawn = faultOf(control, scene.chance);
  return { sent: verdict.sent, ...decide() };

  function decide(): Made {
    const ordered = orderedReply(drawn, control, scene);
    if (ordered !== undefined && !isAfterTaking(drawn)) return keepNothing(ordered);
    if (usedOf(control, scene) >= limitOf(control, scene)) return keepNothing(overLimit(control, scene));
    const refused = strangerReply(control, call, scene);
    if (refused !== undefined) return keepNothing(refused);
    if (new TextEncoder().encode(call.body).byteLength > (control.maxBodyBytes ?? Number.POSITIVE_INFINITY))
      return keepNothing(jsonReply(control, scene, 413, 'Error: the request is too large.'));
    if (!verdict.ok) return keepNothing(jsonReply(control, scene, verdict.status, verdict.message));

    const reply = ordered ?? jsonReply(control, scene, control.success);
    if (scene.bodyBefore === undefined) return keep(reply, verdict.records, true);
    // The real one would take the other records for a double, and lose them: nobody may send that.
    if (scene.bodyBefore !== call.body && control.reusedRequestId === 'refused')
      return keepNothing(jsonReply(control, scene, 400, 'Error: x-request-id was used for other records.'));
    if (control.idempotency === 'ignored') return keep(reply, verdict.records, false);
    const swallowed = scene.bodyBefore === call.body ? 0 : verdict.sent;
    return { ...keepNothing(reply), swallowed };
  }
}

function keep(reply: Reply, records: readonly Judged[], settlesId: boolean): Made {
  return { reply, records, settlesId, swallowed: 0 };
}

function keepNothing(reply: Reply): Made {
  return keep(reply, [], false);
}

/** The refusal of a call that only reads: by a fault, a wrong key or a wrong license code. Undefined if it may read. */
export function refusedReading(control: Control, call: Call, scene: Scene): Reply | undefined {
  const { fault, faultAt } = faultOf(control, scene.chance);
  // A reading call takes no records, so a fault comes before or after nothing. A slow answer is still an answer.
  const ordered = fault === 'slow' ? undefined : orderedReply({ fault, faultAt }, control, scene);
  return ordered ?? strangerReply(control, call, scene);
}

/** Whether a fault befalls the answer alone, and the records are taken. */
function isAfterTaking({ fault, faultAt }: DrawnFault): boolean {
  if (fault === 'slow' || fault === 'cut') return true;
  return (fault === 'page' || typeof fault === 'number') && faultAt === 'after';
}

/** The answer of a fault. Undefined if there is no fault. */
function orderedReply({ fault }: DrawnFault, control: Control, scene: Scene): Reply | undefined {
  switch (fault) {
    case 'none':
      return undefined;
    case 'down':
      return jsonReply(control, scene, 503, 'Error: service unavailable, as configured.');
    case '429':
    case 429:
      return overLimit(control, scene);
    case 'slow':
      return { ...jsonReply(control, scene, control.success), delayMs: control.delayMs };
    case 'cut':
    case 'cut_before':
      return { ...jsonReply(control, scene, 502, 'never read'), cut: true };
    case 'page':
      return pageReply(control.pageStatus);
    default:
      return statusReply(fault, control, scene);
  }
}

/** Of a call with a wrong key or a wrong license code; else undefined. */
function strangerReply(control: Control, call: Call, scene: Scene): Reply | undefined {
  const keys = control.acceptKeys ?? [scene.key];
  if (!keys.some((key) => call.authorization === `Bearer ${key}`))
    return jsonReply(control, scene, control.wrongKey, 'Error: unauthorized.');
  if (call.license !== (control.license ?? scene.license))
    return jsonReply(control, scene, control.wrongLicense, 'Error: no such account.');
  return undefined;
}

function overLimit(control: Control, scene: Scene): Reply {
  const reply = jsonReply(control, scene, 429, 'Error: rate limit exceeded.');
  return { ...reply, headers: { ...reply.headers, ...retryAfterOf(control, scene.now) } };
}

function statusReply(status: number, control: Control, scene: Scene): Reply {
  const reply = jsonReply(control, scene, status, 'Error: as ordered.');
  if (status >= 400) return reply;
  return { ...reply, headers: { ...reply.headers, Location: control.location } };
}

/** In WebEngage's words: without a message, a success. */
export function jsonReply(control: Control, scene: Scene, status: number, message?: string): Reply {
  const response = message === undefined ? { status: 'queued' } : { message, status: 'error' };
  return {
    status,
    body: JSON.stringify({ response }),
    headers: { ...JSON_TYPE, ...rateHeaders(control, scene) },
    cut: false,
    delayMs: 0,
  };
}

/** A gateway's, which knows of no account. */
function pageReply(status: number): Reply {
  const body = `<html><head><title>${status}</title></head><body><center><h1>${status}</h1></center><hr><center>gateway</center></body></html>`;
  return { status, body, headers: PAGE_TYPE, cut: false, delayMs: 0 };
}

function rateHeaders(control: Control, scene: Scene): Readonly<Record<string, string>> {
  if (control.rateHeaders === 'absent') return {};
  const limit = limitOf(control, scene);
  return {
    'X-RateLimit-Limit': String(limit),
    'X-RateLimit-Remaining': String(Math.max(0, limit - usedOf(control, scene) - 1)),
  };
}

function limitOf({ requestsPerMinute }: Control, scene: Scene): number {
  return requestsPerMinute ?? scene.requestsPerMinute;
}

function usedOf({ usedByOthers }: Control, { arrivals }: Scene): number {
  return arrivals + usedByOthers;
}

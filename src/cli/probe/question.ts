import { createHash } from 'node:crypto';
import type { Verdict } from '../../edge/delivery/verdict.ts';
import type { Answer, Answers } from './answers.ts';

/** A bulk call that the probe makes. */
export type ProbeCall = {
  readonly path: 'bulk-users' | 'bulk-events';
  readonly requestId: string;
  readonly body: string;
  /** A description for the operator. */
  readonly says: string;
};

/** What came back to a call. */
export type Reply = {
  /** 0: no answer, or none in time. */
  readonly status: number;
  /** As the relay judges it, except that a page with status 400 is `unknown`, like one with status 200. */
  readonly verdict: Verdict['kind'];
  /** True for WebEngage's JSON, false for the page of a gateway in between. */
  readonly isJson: boolean;
  /** WebEngage's message, for the operator alone. It never contains the key. */
  readonly words: string;
  readonly rateLimit?: { readonly limit: number; readonly remaining: number };
};

/** What the privacy API has shown of the two probe users once all records had the time to arrive. */
export type Reading = {
  readonly user: string;
  /** Undefined if this one could not be read. */
  readonly secondUser: string | undefined;
};

/** One run's ids. */
export type Run = {
  readonly userId: string;
  readonly secondUserId: string;
  /** A text that stands in no other record, and is part of no other mark. */
  readonly mark: (name: string) => string;
  /** The `x-request-id` of a call: hexadecimal, as WebEngage asks for. */
  readonly requestId: (name: string) => string;
};

export type Evidence = {
  readonly run: Run;
  /** To the question's own calls, in order. */
  readonly replies: readonly Reply[];
  /** Undefined if nothing could be read back. */
  readonly reading: Reading | undefined;
};

/** A question that WebEngage's documents leave open. */
export type Question<Name extends keyof Answers = never> = {
  readonly asks: string;
  /** The most calls it makes. */
  readonly calls: number;
  /** Returns the next call after these replies, or undefined after the last. */
  readonly next: (run: Run, replies: readonly Reply[]) => ProbeCall | undefined;
  /** Answers the question from the evidence. Pure. Without enough evidence the answer is `unknown`. */
  readonly judge: (evidence: Evidence) => { readonly [name in Name]: Answer<name> };
};

/** Makes the same calls whatever is answered. */
export function fixed(calls: (run: Run) => readonly ProbeCall[]): Question['next'] {
  return (run, replies) => calls(run)[replies.length];
}

export function runOf(token: string): Run {
  return {
    userId: `relay-probe-${token}`,
    secondUserId: `relay-probe-${token}-2`,
    mark: (name) => `rp.${token}.${name}.`,
    requestId: (name) => createHash('sha256').update(`${token} ${name}`).digest('hex').slice(0, 32),
  };
}

export const ATTRIBUTE_PREFIX = 'relay_probe_';
export const EVENT_NAME = 'Relay Probe';

/** A user record whose arrival shows in one attribute. */
export function userRecord(run: Run, name: string, fields: object = {}): object {
  return { userId: run.userId, ...fields, attributes: { [ATTRIBUTE_PREFIX + name]: run.mark(name) } };
}

export function eventRecord(run: Run, name: string): object {
  return {
    userId: run.userId,
    eventName: EVENT_NAME,
    eventData: { [`${ATTRIBUTE_PREFIX}mark`]: run.mark(name) },
  };
}

/** @param id names the call within the run: calls of one id have the same `x-request-id` */
export function usersCall(run: Run, id: string, says: string, ...users: readonly object[]): ProbeCall {
  return { path: 'bulk-users', requestId: run.requestId(id), body: JSON.stringify({ users }), says };
}

export function eventsCall(run: Run, id: string, says: string, ...events: readonly object[]): ProbeCall {
  return { path: 'bulk-events', requestId: run.requestId(id), body: JSON.stringify({ events }), says };
}

/** How often a mark stands in what was read. */
export function timesIn(read: string, mark: string): number {
  return read.split(mark).length - 1;
}

/** Whether a record has arrived; undefined if nothing could be read back. */
export function hasArrived({ run, reading }: Omit<Evidence, 'replies'>, name: string): boolean | undefined {
  return reading && timesIn(reading.user, run.mark(name)) > 0;
}

/** Describes a reply in a few words, none of them WebEngage's. */
export function wordsOf(reply: Reply | undefined): string {
  if (reply === undefined) return 'not asked';
  if (reply.status === 0) return 'no answer';
  return `answered ${reply.status}${reply.isJson ? '' : " without WebEngage's JSON"}`;
}

export const NOT_READ = 'could not be read back';

/** What became of a record that was sent alone. Accepted and dropped look the same until it is read back. */
export function endOf(
  evidence: Evidence,
  reply: Reply | undefined,
  name: string,
): { readonly value: 'refused' | 'dropped' | 'accepted' | 'unknown'; readonly evidence: string } {
  const saw = wordsOf(reply);
  const arrived = hasArrived(evidence, name);
  if (reply?.verdict === 'refused')
    return arrived
      ? { value: 'unknown', evidence: `${saw}, and yet the record arrived` }
      : { value: 'refused', evidence: saw };
  if (reply?.verdict !== 'taken') return { value: 'unknown', evidence: saw };
  if (arrived === undefined) return { value: 'unknown', evidence: `${saw}; ${NOT_READ}` };
  return arrived
    ? { value: 'accepted', evidence: `${saw}, and the record arrived` }
    : { value: 'dropped', evidence: `${saw}, and the record did not arrive` };
}

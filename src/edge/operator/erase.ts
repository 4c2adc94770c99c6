import type { Context } from 'hono';
import { literal, optional, safeParse, strictObject, union } from 'valibot';
import { ruleSchema } from '../../contract/rules/rule-schema.ts';
import { idRule } from '../../contract/rules/visitor.ts';
import type { Env, Relay } from '../durable-objects/env.ts';
import { inTime } from '../durable-objects/in-time.ts';
import type { OutboxErased } from '../durable-objects/outbox.ts';
import { everyOutbox, outboxesInUse, outboxNamed } from '../durable-objects/outbox-directory.ts';
import { withRetry } from '../durable-objects/with-retry.ts';
import { refusal } from '../http/responses.ts';
import { idOfPerson, type Person } from '../queue/erasure/person.ts';
import { SUPPRESSED_MS } from '../queue/erasure/suppression.ts';
import { logErasure, logFault } from '../telemetry/log.ts';
import type { ErasureReceipt } from './erasure-receipt.ts';
import { requestErasure } from './erasure-request.ts';
import { jsonBody } from './json-body.ts';

const MAX_BODY_BYTES = 4_096;

const id = ruleSchema(idRule);

const bodySchema = union([
  strictObject({ userId: id, upstream: optional(literal(true)) }),
  strictObject({ anonymousId: id }),
  strictObject({ userId: id, lift: literal(true) }),
  strictObject({ anonymousId: id, lift: literal(true) }),
]);

const BODY_RULE =
  'the body must be {"userId":"…"} or {"anonymousId":"…"}, with an id of 1 to 100 characters. ' +
  'Beside it only "lift":true is allowed, or beside a userId "upstream":true';

/** Erases a person in every outbox, or lifts the mark of one who was erased. */
export async function erasePerson(c: Context<Relay>): Promise<Response> {
  const { success, output } = safeParse(bodySchema, await jsonBody(c.req.raw, MAX_BODY_BYTES));
  if (!success) return refusal('invalid_request', BODY_RULE);
  const person: Person = 'userId' in output ? { userId: output.userId } : { anonymousId: output.anonymousId };
  const isLifted = 'lift' in output;
  const receipt = isLifted ? await liftEverywhere(c, person) : await eraseEverywhere(c, person);
  const isAsked = 'upstream' in output && output.upstream === true;
  // A repeat would file it again.
  const upstream =
    isAsked && receipt.complete ? await requestErasure(c.env, c.var.settings, idOfPerson(person)[1]) : null;
  const { erased, inFlight, unanswered } = receipt;
  logErasure({ ...erased, inFlight, unanswered: unanswered.length, lifted: isLifted });
  const complete = receipt.complete && (upstream === null || upstream.filed);
  return Response.json({ ...receipt, complete, upstream } satisfies ErasureReceipt);
}

type InRelay = Omit<ErasureReceipt, 'upstream'>;

const NOTHING = { waiting: 0, deadLetters: 0, violations: 0 };

/** Every outbox that may hold records of the person, or may get some. */
async function eraseEverywhere({ env, var: { settings } }: Context<Relay>, person: Person): Promise<InRelay> {
  // A returning browser may belong to an outbox that holds nothing yet.
  const names = await everyOutbox(env, settings);
  const begunAt = Date.now();
  const { answers, unanswered } = await askAll(names, (name) => eraseIn(env, name, person));
  const sum = (of: (erased: OutboxErased['erased']) => number) =>
    answers.flat().reduce((total, { erased }) => total + of(erased), 0);
  return {
    complete: unanswered.length === 0,
    erased: {
      waiting: sum(({ waiting }) => waiting),
      deadLetters: sum(({ deadLetters }) => deadLetters),
      violations: sum(({ violations }) => violations),
    },
    inFlight: sum(({ inFlight }) => inFlight),
    suppressedUntil: begunAt + SUPPRESSED_MS,
    outboxes: answers.length,
    unanswered,
  };
}

/** The steps of one outbox. */
async function eraseIn(env: Env, name: string, person: Person): Promise<readonly OutboxErased[]> {
  const steps: OutboxErased[] = [];
  do {
    const from = steps.at(-1)?.next;
    steps.push(
      await inTime(() =>
        withRetry<OutboxErased>(async () => outboxNamed(env, name).erase(name, person, from)),
      ),
    );
  } while (steps.at(-1)?.next !== undefined);
  return steps;
}

async function liftEverywhere({ env }: Context<Relay>, person: Person): Promise<InRelay> {
  const { answers, unanswered } = await askAll(await outboxesInUse(env), (name) =>
    inTime(() => withRetry<boolean>(async () => outboxNamed(env, name).lift(person))),
  );
  return {
    complete: unanswered.length === 0,
    erased: NOTHING,
    inFlight: 0,
    suppressedUntil: null,
    outboxes: answers.length,
    unanswered,
  };
}

/** Asks each outbox. One that does not answer must not keep the others from it. */
async function askAll<T>(
  names: readonly string[],
  ask: (name: string) => Promise<T>,
): Promise<{ readonly answers: readonly T[]; readonly unanswered: readonly string[] }> {
  const outcomes = await Promise.allSettled(names.map(ask));
  const unanswered = outcomes.flatMap((outcome, index) => {
    if (outcome.status === 'fulfilled') return [];
    logFault('erase_failed', outcome.reason);
    return names[index] ?? [];
  });
  const answers = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? [outcome.value] : []));
  return { answers, unanswered };
}

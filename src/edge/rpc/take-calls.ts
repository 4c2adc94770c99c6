import type { Answer } from '../../contract/answer.ts';
import { type Batch, PROTOCOL_VERSION } from '../../contract/batch.ts';
import type { Lane } from '../../contract/lane.ts';
import type { RecordKind } from '../../contract/record.ts';
import type { Plan } from '../../plan/plan.ts';
import { checkCall, personOf } from '../../server/call.ts';
import { type Digest, deviceOf, messageRecordId, randomSession, slotOf } from '../../server/record-id.ts';
import { RelayError } from '../../server/relay-error.ts';
import { RecordError } from '../../tracker/record/capture.ts';
import type { Env } from '../durable-objects/env.ts';
import { readPlanMode } from '../http/enforce-plan.ts';
import { observed } from '../http/observed.ts';
import { answerOf, type Intake, intake, type PlannedBatch, planBatch } from '../http/take-batch.ts';
import { type Arrival, type CheckedBatch, checkBatch, parseBatch } from '../http/validate-batch.ts';
import { type PlanMode, type RelaySettings, readSettings } from '../settings/settings.ts';
import { shardOf } from '../settings/shards.ts';
import { REFUSED_BATCHES, type RefusedBatch } from '../telemetry/observations.ts';
import { batchText } from './batch-text.ts';
import { type RelayProps, readProps } from './props.ts';
import { type Clock, storeWithRetries } from './store-with-retries.ts';

/** What calls take from the platform. Tests replace it. */
export type RpcPlatform = Clock & {
  readonly bytes: (count: number) => Uint8Array;
  readonly digest: Digest;
};

/** The calls of other Workers, for one isolate of this one. */
export type CallTaker = {
  /** Stores the record of a `track` or an `identify`. Rejects with a `RecordError` or a `RelayError`. */
  readonly takeCall: (from: Caller, kind: RecordKind, given: unknown) => Promise<void>;
  /** Stores records in the form of the wire protocol. */
  readonly takeBatch: (from: Caller, given: unknown) => Promise<Answer>;
};

/** The bindings of this Worker, and the context of the call, with what the caller's binding says about it. */
type Caller = { readonly env: Env; readonly ctx: CallContext };

type CallContext = {
  readonly props: unknown;
  readonly waitUntil: (promise: Promise<unknown>) => void;
};

/** What holds for one call, once its caller and the settings are known to be right. */
type Ready = {
  readonly env: Env;
  readonly settings: RelaySettings;
  readonly planMode: PlanMode | undefined;
  readonly props: Required<RelayProps>;
};

/** What goes to one device of a checked batch. */
type OfDevice = { readonly device: string; readonly checked: CheckedBatch };

export function callTaker(plan: Plan | undefined, platform: RpcPlatform): CallTaker {
  const known = intake();
  const arrival = (): Arrival => ({ sender: 'server', now: platform.now() });
  let session: string | undefined;
  let seq = 0;
  // Drawn at the first call: there is no chance before a Worker has its first event.
  const newId = () => {
    session ??= randomSession(platform.bytes);
    seq += 1;
    return `${session}.${seq}`;
  };

  /** @param divided by device, what has been checked of it */
  async function store(
    ready: Ready,
    lane: Lane | undefined,
    divided: readonly OfDevice[],
  ): Promise<readonly Answer[]> {
    const deliver = ({ device, checked }: OfDevice) => {
      const planned = planBatch(checked, plan, ready.planMode);
      return storePlanned(ready, { device, lane: lane ?? ready.props.lane }, planned, known, platform);
    };
    return Promise.all(divided.map(deliver));
  }

  async function takeCall(ready: Ready, kind: RecordKind, given: unknown): Promise<void> {
    const call = checkCall(kind, given);
    const device = await deviceOf(ready.props.source, slotOf(call.person), platform.digest);
    const id = call.messageId === undefined ? newId() : await messageRecordId(call, platform.digest);
    const records = [{ id, ...JSON.parse(call.json) }];
    const batch: Batch = { v: PROTOCOL_VERSION, device, records };
    const checked = checkBatch({ batch, faults: new Map() }, arrival());
    const [answer] = await store(ready, undefined, [{ device, checked }]);
    const [refused] = answer?.rejected ?? [];
    if (refused !== undefined) throw new RecordError(refused.issues);
  }

  async function takeBatch(ready: Ready, given: unknown): Promise<Answer> {
    const written = batchText(given);
    if (!written.ok) throw new RelayError('refused', written.message);
    const read = parseBatch(written.text, 'server');
    if (!read.ok) throw new RelayError('refused', `${read.code}: ${read.message}`);
    const checked = checkBatch(read, arrival());
    const divided = Array.isArray(given)
      ? await bySlot(checked, ready.props.source, platform.digest)
      : [{ device: read.batch.device.toLowerCase(), checked }];
    return joined(await store(ready, read.batch.lane, divided));
  }

  const take = async <Result>({ env, ctx }: Caller, taking: (ready: Ready) => Promise<Result>) => {
    const ready = readyFor(env, ctx.props, plan !== undefined);
    const surroundings = { env, ctx, settings: ready.settings, now: platform.now };
    return observed(known, surroundings, () => taking(ready), refusalOf);
  };

  return {
    takeCall: (from, kind, given) => take(from, (ready) => takeCall(ready, kind, given)),
    takeBatch: (from, given) => take(from, (ready) => takeBatch(ready, given)),
  };
}

/** As `/v1/batch` would have refused it. A record that is rejected by itself does not refuse its batch. */
function refusalOf(outcome: PromiseSettledResult<unknown>): RefusedBatch | undefined {
  if (outcome.status === 'fulfilled' || outcome.reason instanceof RecordError) return undefined;
  if (!(outcome.reason instanceof RelayError)) return 'unavailable';
  const { code, cause } = outcome.reason;
  return code === 'refused' ? 'invalid_batch' : REFUSED_BATCHES.find((reason) => reason === cause);
}

/** Throws a `RelayError` if a setting of the relay or a prop of the caller's binding is wrong. */
function readyFor(env: Env, given: unknown, hasPlan: boolean): Ready {
  const read = readProps(given);
  if (!read.ok) throw new RelayError('refused', `the binding of this Worker is wrong: ${read.message}`);
  const set = readSettings(env);
  if (!set.ok) throw notSetUp(set.message);
  const plan = readPlanMode(set.settings, hasPlan);
  if (!plan.ok) throw notSetUp(plan.message);
  return { env, settings: set.settings, planMode: plan.mode, props: read.props };
}

const notSetUp = (message: string) => new RelayError('unavailable', `the relay is not set up: ${message}`);

/** Divides a batch among the devices of its people. The first part has what was rejected. */
async function bySlot(
  { good, ...others }: CheckedBatch,
  source: string,
  digest: Digest,
): Promise<readonly OfDevice[]> {
  const slots = Map.groupBy(good, (record) => slotOf(personOf(record)));
  if (slots.size === 0) slots.set(0, []);
  const nothing = { rejected: [], repaired: [], expired: 0 };
  return Promise.all(
    [...slots].map(async ([slot, records], index) => ({
      device: await deviceOf(source, slot, digest),
      checked: { good: records, ...(index === 0 ? others : nothing) },
    })),
  );
}

async function storePlanned(
  { env, settings, props }: Ready,
  to: { readonly device: string; readonly lane: Lane },
  { toStore, reported, breaches }: PlannedBatch,
  known: Intake,
  clock: Clock,
): Promise<Answer> {
  const sender = props.name;
  known.countOffPlan(breaches, clock.now());
  if (reported.rejected.length > 0)
    known.countServerRefused(sender, { rejected: reported.rejected.length }, clock.now());
  const outbox = shardOf(to.device, settings.shards, settings.jurisdiction);
  const delivery = { ...to, sender, ...toStore, unverified: false };
  return answerOf(await storeWithRetries(env, outbox, delivery, known, clock), reported);
}

/** One answer for all parts. */
function joined(answers: readonly Answer[]): Answer {
  const sum = (count: (answer: Answer) => number) =>
    answers.reduce((total, answer) => total + count(answer), 0);
  return {
    response: { status: 'queued' },
    accepted: sum(({ accepted }) => accepted),
    duplicates: sum(({ duplicates }) => duplicates),
    rejected: answers.flatMap(({ rejected }) => rejected),
    repaired: answers.flatMap(({ repaired }) => repaired),
    now: Math.max(...answers.map(({ now }) => now)),
  };
}

import { WorkerEntrypoint } from 'cloudflare:workers';
import type { Answer } from '../../contract/answer.ts';
import type { Plan } from '../../plan/plan.ts';
import type { ServerEvent, ServerUser } from '../../server/call.ts';
import type { AnyEvents } from '../../tracker/record/event-types.ts';
import type { Env } from '../durable-objects/env.ts';
import type { WireBatch } from './batch-text.ts';
import type { RelayProps } from './props.ts';
import { callTaker, type RpcPlatform } from './take-calls.ts';

/**
 * The calls of another Worker, over a service binding.
 *
 * Each resolves once the relay has stored the records. While the relay is full or can't reach its outbox, a call
 * tries again for up to 10 seconds, and then rejects with a `RelayError` that has the `code` `unavailable`.
 */
export type RelayCalls = Rpc.WorkerEntrypointBranded & {
  /**
   * Records an event of a person. Rejects with a `RecordError`, whose message names field and rule, if the record
   * breaks a rule. With a `messageId`, a call that is repeated makes no second record.
   */
  readonly track: (event: ServerEvent<AnyEvents, string>) => Promise<void>;
  /** Describes a person. Resolves and rejects as `track` does. */
  readonly identify: (user: ServerUser) => Promise<void>;
  /**
   * Stores 1 to 400 records of the wire protocol, each with its `id`, and answers as `/v1/batch` does. Without an
   * envelope, records go to the devices that `track` and `identify` use, so one person's records stay in order.
   */
  readonly batch: (batch: readonly object[] | WireBatch) => Promise<Answer>;
};

/** The class of the entrypoint: `Service<typeof RelayEntrypoint>` is the type of its binding. */
export type RelayEntrypointClass = new (ctx: ExecutionContext<RelayProps>, env: Env) => RelayCalls;

const PLATFORM: RpcPlatform = {
  now: () => Date.now(),
  sleep: (ms) => scheduler.wait(ms),
  random: Math.random,
  bytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
  digest: async (text) =>
    new Uint8Array(await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))),
};

/** The entrypoint of a relay with or without a tracking plan. The platform makes an instance for each call. */
export function entrypointOf(plan: Plan | undefined): RelayEntrypointClass {
  const { takeCall, takeBatch } = callTaker(plan, PLATFORM);
  return class extends WorkerEntrypoint<Env, RelayProps> {
    get #caller() {
      return { env: this.env, ctx: this.ctx };
    }

    track(event: ServerEvent<AnyEvents, string>): Promise<void> {
      return takeCall(this.#caller, 'event', event);
    }

    identify(user: ServerUser): Promise<void> {
      return takeCall(this.#caller, 'user', user);
    }

    batch(batch: readonly object[] | WireBatch): Promise<Answer> {
      return takeBatch(this.#caller, batch);
    }
  };
}

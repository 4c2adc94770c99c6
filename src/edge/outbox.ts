import { DurableObject } from 'cloudflare:workers';
import { type Backlog, backlog } from './backlog.ts';
import { alarmComes, type Delivery, ingest, type Receipt, SOONEST_ALARM_MS } from './ingest.ts';
import { logFailedCall, logFault } from './log.ts';
import type { RateGate } from './rate-gate.ts';
import { type PassEnd, relayPass } from './relay-pass.ts';
import { type RelaySettings, readSettings, type SettingsEnv } from './settings.ts';
import { createTables } from './tables.ts';
import { webEngage } from './webengage.ts';

// How soon to look again where a setting is missing, or a pass failed by itself.
const AFTER_FAULT_MS = 30_000;

type OutboxEnv = SettingsEnv & { readonly RATE_GATE: DurableObjectNamespace<RateGate> };

/** The relay's durable queue: stores records before they are answered for, and sends them on by its alarm. */
export class Outbox extends DurableObject<OutboxEnv> {
  // A cache: an outbox that was evicted finds out anew, by one pass.
  #heldUntil = 0;

  constructor(ctx: DurableObjectState, env: OutboxEnv) {
    super(ctx, env);
    createTables(ctx.storage.sql);
  }

  /** Stores what is new. Once this has answered, the records are on disk and will be sent. */
  async ingest(delivery: Delivery): Promise<Receipt> {
    const { storage } = this.ctx;
    const lingerMs = this.#settings()?.lingerMs ?? 0;
    const sendingOn = { alarmAt: await storage.getAlarm(), lingerMs, heldUntil: this.#heldUntil };
    return ingest(storage, delivery, sendingOn, Date.now());
  }

  /** What waits to be sent. */
  backlog(): Backlog {
    return backlog(this.ctx.storage.sql, Date.now());
  }

  /** Sets the alarm where records wait without one, as after the platform gave it up. */
  async wake(): Promise<void> {
    const { storage } = this.ctx;
    const now = Date.now();
    const isEmpty = storage.sql.exec('SELECT seq FROM run LIMIT 1').toArray().length === 0;
    if (isEmpty || alarmComes(await storage.getAlarm(), now)) return;
    await storage.setAlarm(now + SOONEST_ALARM_MS);
  }

  override async alarm(): Promise<void> {
    // The platform gives an alarm up after six throws: nothing gets out of here but a storage that fails.
    try {
      const { nextAt, held } = await this.#relayPass();
      this.#heldUntil = held ? (nextAt ?? 0) : 0;
      if (nextAt !== undefined) await this.#setAlarm(nextAt);
    } catch (error) {
      logFault('relay_pass_failed', error);
      await this.ctx.storage.setAlarm(Date.now() + AFTER_FAULT_MS);
    }
  }

  async #relayPass(): Promise<PassEnd> {
    const settings = this.#settings();
    if (settings === undefined) return { nextAt: Date.now() + AFTER_FAULT_MS, held: true };
    return relayPass({
      storage: this.ctx.storage,
      gate: this.env.RATE_GATE.getByName(settings.licenseCode),
      upstream: webEngage(settings, Date.now),
      lingerMs: settings.lingerMs,
      now: Date.now,
      sleep: (ms) => scheduler.wait(ms),
      random: Math.random,
      newRequestId: () => crypto.randomUUID().replaceAll('-', ''),
      tellFailed: logFailedCall,
    });
  }

  /** No later than an ingest may have set it meanwhile, and never for now: such an alarm can be lost. */
  async #setAlarm(nextAt: number): Promise<void> {
    const set = await this.ctx.storage.getAlarm();
    await this.ctx.storage.setAlarm(Math.max(Math.min(nextAt, set ?? nextAt), Date.now() + SOONEST_ALARM_MS));
  }

  #settings(): RelaySettings | undefined {
    const read = readSettings(this.env);
    return read.ok ? read.settings : undefined;
  }
}

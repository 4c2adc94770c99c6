import { retryAfterMs } from '../../pacing/retry-after.ts';
import type { Signing } from '../settings/alert-settings.ts';
import type { Webhook } from '../settings/alert-webhook.ts';
import type { Notice } from './alert.ts';
import { bodyOf } from './messages.ts';
import type { Attempt } from './queue.ts';

// A receiver that takes longer gets the message again.
const TIMEOUT_MS = 10_000;

/** The world around a message. */
export type SendPorts = {
  readonly fetch: (request: Request) => Promise<Response>;
  readonly now: () => number;
  /** A signal that ends an attempt. */
  readonly timeout: (ms: number) => AbortSignal;
};

export const LIVE_PORTS: SendPorts = {
  fetch: (request) => fetch(request),
  now: () => Date.now(),
  timeout: (ms) => AbortSignal.timeout(ms),
};

/** A receiver, and the key that signs messages to it. Without a key they are not signed. */
export type Receiver = { readonly webhook: Webhook; readonly secret: string | undefined };

/** The receiver at this address. Undefined if it may check the signature and would get none, through a mistake. */
export function receiverOf(webhook: Webhook, signing: Signing): Receiver | undefined {
  // Slack and PagerDuty ignore it.
  if (signing.kind === 'invalid' && webhook.form === 'json') return undefined;
  return { webhook, secret: signing.kind === 'signed' ? signing.secret : undefined };
}

/**
 * Sends messages to one receiver, in their order, until one does not arrive. A message has arrived if the
 * receiver answers 2xx. Never throws, and never follows a redirect.
 */
export async function sendAll(
  notices: readonly Notice[],
  receiver: Receiver,
  ports: SendPorts,
): Promise<Attempt> {
  const delivered: string[] = [];
  let status = 0;
  for (const notice of notices) {
    const answer = await send(notice, receiver, ports);
    status = answer.status;
    if (status < 200 || status > 299)
      return { delivered, status, retryAfterMs: retryAfterMs(answer.retryAfter, ports.now()), failed: true };
    delivered.push(notice.id);
  }
  return { delivered, status, retryAfterMs: undefined, failed: false };
}

async function send(
  notice: Notice,
  { webhook, secret }: Receiver,
  { fetch, now, timeout }: SendPorts,
): Promise<{ readonly status: number; readonly retryAfter: string | null }> {
  const body = bodyOf(notice, webhook);
  const headers = {
    'Content-Type': 'application/json',
    'Webengage-Relay-Id': notice.id,
    ...(secret !== undefined && { 'Webengage-Relay-Signature': await signatureOf(body, secret, now()) }),
  };
  try {
    const request = new Request(webhook.url, {
      method: 'POST',
      headers,
      body,
      redirect: 'manual',
      signal: timeout(TIMEOUT_MS),
    });
    const response = await fetch(request);
    // An unread body keeps the connection.
    await response.body?.cancel();
    return { status: response.status, retryAfter: response.headers.get('Retry-After') };
  } catch {
    // No connection, or no answer in time. The error may contain the address, which is a secret.
    return { status: 0, retryAfter: null };
  }
}

/** `t=<seconds>,v1=<HMAC-SHA256 of "<seconds>.<body>" in hex>`. A receiver refuses an old time, so a copy is worthless. */
async function signatureOf(body: string, secret: string, now: number): Promise<string> {
  const encoder = new TextEncoder();
  const seconds = Math.floor(now / 1_000);
  const algorithm = { name: 'HMAC', hash: 'SHA-256' };
  const key = await crypto.subtle.importKey('raw', encoder.encode(secret), algorithm, false, ['sign']);
  const signed = await crypto.subtle.sign('HMAC', key, encoder.encode(`${seconds}.${body}`));
  return `t=${seconds},v1=${hexOf(signed)}`;
}

/** A name for a webhook that does not reveal its address. */
export async function fingerprintOf(webhook: Webhook): Promise<string> {
  const text = webhook.form === 'pagerduty' ? `${webhook.url}#${webhook.routingKey}` : webhook.url;
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return hexOf(digest).slice(0, 16);
}

function hexOf(bytes: ArrayBuffer): string {
  return Array.from(new Uint8Array(bytes), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

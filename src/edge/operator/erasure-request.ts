import type { GateEnv } from '../durable-objects/rate-gate.ts';
import { gateOf } from '../durable-objects/rate-gate.ts';
import type { RelaySettings } from '../settings/settings.ts';
import type { ErasureRequest } from './erasure-receipt.ts';

const TIMEOUT_MS = 10_000;

/**
 * Files a request to erase a user with WebEngage's privacy API, with the key that works. Never rejects.
 * https://docs.webengage.com/docs/rest-api-gdpr-requests
 */
export async function requestErasure(
  env: GateEnv,
  { upstream, licenseCode, apiKeys }: RelaySettings,
  userId: string,
): Promise<ErasureRequest> {
  const id = crypto.randomUUID();
  try {
    const { key } = await gateOf(env).status();
    const response = await fetch(
      new Request(`${upstream}/v1/accounts/${licenseCode}/opengdpr_requests`, {
        method: 'POST',
        body: JSON.stringify({
          subject_request_id: id,
          subject_request_type: 'erasure',
          subject_identities: [{ identity_type: 'cuid', identity_value: userId }],
        }),
        headers: {
          Authorization: `Bearer ${apiKeys[key] ?? apiKeys.primary}`,
          'Content-Type': 'application/json',
        },
        // The key goes nowhere else, even if the answer is a redirect.
        redirect: 'manual',
        signal: AbortSignal.timeout(TIMEOUT_MS),
      }),
    );
    await response.body?.cancel();
    return { id, filed: response.ok, status: response.status };
  } catch {
    return { id, filed: false, status: 0 };
  }
}

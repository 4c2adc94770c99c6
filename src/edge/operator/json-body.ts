import { readBody } from '../http/body.ts';

const TIMEOUT_MS = 10_000;

/** The JSON in the body of a request. Undefined if it is too large, too slow or no JSON: a schema refuses that. */
export async function jsonBody(request: Request, maxBytes: number): Promise<unknown> {
  const body = await readBody(request, maxBytes, AbortSignal.timeout(TIMEOUT_MS));
  try {
    return body.ok ? JSON.parse(body.text) : undefined;
  } catch {
    return undefined;
  }
}

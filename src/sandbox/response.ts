import type { Reply } from './answer.ts';

// A Response with one of these must have no body.
const WITHOUT_BODY = [204, 205, 304];

/** A reply as it goes out. `delayMs` is left to the caller. */
export function responseOf({ status, body, headers, cut }: Reply): Response {
  if (WITHOUT_BODY.includes(status)) return new Response(null, { status, headers });
  return new Response(cut ? cutOff() : body, { status, headers });
}

/** A body that breaks off: the nearest a Worker comes to a cut connection. */
function cutOff(): ReadableStream {
  return new ReadableStream({
    pull: (controller) => controller.error(new Error('the connection is cut, as configured')),
  });
}

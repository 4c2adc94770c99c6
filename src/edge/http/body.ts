export type ReadBody =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: 'too_large' | 'too_slow' | 'not_utf8' };

/**
 * Reads a body, and not a byte more than the limit of it, whatever its `Content-Length` says.
 * Rejects where the connection breaks: what is wrong with that is nothing of the body's.
 *
 * @param deadline given up once it is aborted, however little is missing
 */
export async function readBody(request: Request, maxBytes: number, deadline: AbortSignal): Promise<ReadBody> {
  if (Number(request.headers.get('Content-Length')) > maxBytes) return { ok: false, reason: 'too_large' };

  // `fatal`: bytes that are no UTF-8 are refused, not replaced. A byte order mark is left for JSON to refuse.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const decode = (chunk?: Uint8Array): string | undefined => {
    try {
      return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true });
    } catch {
      return undefined; // No UTF-8, then.
    }
  };

  const reader = request.body?.getReader();
  const isOver = new Promise<'over'>((resolve) => {
    if (deadline.aborted) resolve('over');
    deadline.addEventListener('abort', () => resolve('over'), { once: true });
  });
  let bytes = 0;
  let text = '';
  while (reader !== undefined) {
    const read = await Promise.race([reader.read(), isOver]);
    if (read === 'over') return giveUp(reader, 'too_slow');
    if (read.done) break;
    bytes += read.value.byteLength;
    if (bytes > maxBytes) return giveUp(reader, 'too_large');
    const piece = decode(read.value);
    if (piece === undefined) return giveUp(reader, 'not_utf8');
    text += piece;
  }
  const end = decode();
  return end === undefined ? { ok: false, reason: 'not_utf8' } : { ok: true, text: text + end };
}

function giveUp(
  reader: ReadableStreamDefaultReader,
  reason: 'too_large' | 'too_slow' | 'not_utf8',
): ReadBody {
  // Nobody waits for the rest, nor for its being told so.
  reader.cancel().catch(() => undefined);
  return { ok: false, reason };
}

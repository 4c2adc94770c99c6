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
  const declared = Number(request.headers.get('Content-Length') ?? Number.NaN);
  if (declared > maxBytes) return { ok: false, reason: 'too_large' };
  const isOver = new Promise<'over'>((resolve) => {
    if (deadline.aborted) resolve('over');
    deadline.addEventListener('abort', () => resolve('over'), { once: true });
  });
  const reader = request.body?.getReader();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // HTTP ends a body where its length says: asking once more for the end would take as long as the reading.
  while (reader !== undefined && bytes !== declared) {
    const read = await Promise.race([reader.read(), isOver]);
    if (read === 'over') return giveUp(reader, 'too_slow');
    if (read.done) break;
    bytes += read.value.byteLength;
    if (bytes > maxBytes) return giveUp(reader, 'too_large');
    pieces.push(read.value);
  }
  return decoded(pieces);
}

function decoded(pieces: readonly Uint8Array[]): ReadBody {
  // `fatal`: bytes that are no UTF-8 are refused, not replaced. A byte order mark is left for JSON to refuse.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    const texts = pieces.map((piece) => decoder.decode(piece, { stream: true }));
    return { ok: true, text: texts.join('') + decoder.decode() };
  } catch {
    return { ok: false, reason: 'not_utf8' };
  }
}

function giveUp(reader: ReadableStreamDefaultReader, reason: 'too_large' | 'too_slow'): ReadBody {
  // Nobody waits for the rest, nor for its being told so.
  reader.cancel().catch(() => undefined);
  return { ok: false, reason };
}

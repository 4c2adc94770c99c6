export type ReadBody =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: 'too_large' | 'too_slow' | 'not_utf8' };

/**
 * Reads a body up to the limit, whatever its `Content-Length` says.
 * Rejects if the connection breaks, which is not a fault of the body.
 *
 * @param deadline aborts the reading, however little is missing
 */
export async function readBody(request: Request, maxBytes: number, deadline: AbortSignal): Promise<ReadBody> {
  const length = request.headers.get('Content-Length') ?? '';
  const declared = /^[1-9]\d*$/.test(length) ? Number(length) : Number.NaN;
  if (Number(length) > maxBytes) return { ok: false, reason: 'too_large' };
  const isOver = new Promise<'over'>((resolve) => {
    if (deadline.aborted) resolve('over');
    deadline.addEventListener('abort', () => resolve('over'), { once: true });
  });
  const reader = request.body?.getReader();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  // HTTP ends a body at its declared length. Reading on just to see the end would take as long as the body itself.
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
  // `fatal` refuses invalid UTF-8 instead of replacing it. A byte order mark is left for JSON to refuse.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  try {
    const texts = pieces.map((piece) => decoder.decode(piece, { stream: true }));
    return { ok: true, text: texts.join('') + decoder.decode() };
  } catch {
    return { ok: false, reason: 'not_utf8' };
  }
}

function giveUp(reader: ReadableStreamDefaultReader, reason: 'too_large' | 'too_slow'): ReadBody {
  // The rest of the body is not needed, and neither is the result of the cancellation.
  reader.cancel().catch(() => undefined);
  return { ok: false, reason };
}

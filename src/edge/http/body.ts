export type ReadBody =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: 'too_large' | 'too_slow' | 'not_utf8' };

// `fatal` refuses invalid UTF-8 instead of replacing it. A byte order mark is left for JSON to refuse.
const UTF8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

const DECLARED = /^[1-9]\d*$/;

/**
 * Reads a body up to the limit, whatever its `Content-Length` says.
 * Rejects if the connection breaks, which is not a fault of the body.
 *
 * @param deadline aborts the reading, however little is missing
 */
export async function readBody(request: Request, maxBytes: number, deadline: AbortSignal): Promise<ReadBody> {
  const length = request.headers.get('Content-Length') ?? '';
  if (Number(length) > maxBytes) return { ok: false, reason: 'too_large' };
  const isOver = new Promise<'over'>((resolve) => {
    if (deadline.aborted) resolve('over');
    deadline.addEventListener('abort', () => resolve('over'), { once: true });
  });
  // HTTP ends a body at its declared length, and the runtime shows no length of a chunked one. To read it piece by
  // piece takes twice the processor time.
  return DECLARED.test(length)
    ? readDeclared(request, maxBytes, isOver)
    : readPieces(request, maxBytes, isOver);
}

async function readDeclared(request: Request, maxBytes: number, isOver: Promise<'over'>): Promise<ReadBody> {
  const read = await Promise.race([request.arrayBuffer(), isOver]);
  if (read === 'over') return { ok: false, reason: 'too_slow' };
  return read.byteLength > maxBytes ? { ok: false, reason: 'too_large' } : decoded(read);
}

async function readPieces(request: Request, maxBytes: number, isOver: Promise<'over'>): Promise<ReadBody> {
  const reader = request.body?.getReader();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (reader !== undefined) {
    const read = await Promise.race([reader.read(), isOver]);
    if (read === 'over') return giveUp(reader, 'too_slow');
    if (read.done) break;
    bytes += read.value.byteLength;
    if (bytes > maxBytes) return giveUp(reader, 'too_large');
    pieces.push(read.value);
  }
  return decoded(joined(pieces, bytes));
}

function joined(pieces: readonly Uint8Array[], bytes: number): Uint8Array {
  const whole = new Uint8Array(bytes);
  let at = 0;
  for (const piece of pieces) {
    whole.set(piece, at);
    at += piece.byteLength;
  }
  return whole;
}

function decoded(bytes: Uint8Array | ArrayBuffer): ReadBody {
  try {
    return { ok: true, text: UTF8.decode(bytes) };
  } catch {
    return { ok: false, reason: 'not_utf8' };
  }
}

function giveUp(reader: ReadableStreamDefaultReader, reason: 'too_large' | 'too_slow'): ReadBody {
  // The rest of the body is not needed, and neither is the result of the cancellation.
  reader.cancel().catch(() => undefined);
  return { ok: false, reason };
}

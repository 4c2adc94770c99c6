export type ReadBody =
  | { readonly ok: true; readonly text: string }
  | { readonly ok: false; readonly reason: 'too_large' | 'not_utf8' };

/** Reads a body, and not a byte more than the limit of it, whatever its `Content-Length` says. */
export async function readBody(request: Request, maxBytes: number): Promise<ReadBody> {
  if (Number(request.headers.get('Content-Length')) > maxBytes) return { ok: false, reason: 'too_large' };

  // `fatal`: bytes that are no UTF-8 are refused, not replaced. A byte order mark is left for JSON to refuse.
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  let bytes = 0;
  let text = '';
  try {
    for await (const chunk of request.body ?? []) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) return { ok: false, reason: 'too_large' };
      text += decoder.decode(chunk, { stream: true });
    }
    return { ok: true, text: text + decoder.decode() };
  } catch (error) {
    if (error instanceof TypeError) return { ok: false, reason: 'not_utf8' };
    throw error;
  }
}

/** A field of a JSON object, where it is a string. */
export function stringIn(body: string, field: string): string | undefined {
  const value = objectIn(body)?.[field];
  return typeof value === 'string' ? value : undefined;
}

/** The relay's words: of `/health`, or of what it refuses. */
export function messageIn(body: string): string | undefined {
  return stringIn(body, 'message') ?? refusalIn(body)?.message;
}

export function codeIn(body: string): string | undefined {
  return refusalIn(body)?.code;
}

function refusalIn(body: string): { readonly code?: string; readonly message?: string } | undefined {
  const error = objectIn(body)?.error;
  return typeof error === 'object' && error !== null ? error : undefined;
}

function objectIn(body: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const json: unknown = JSON.parse(body);
    return typeof json === 'object' && json !== null ? (json as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}

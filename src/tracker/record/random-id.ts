type Bytes = (count: number) => Uint8Array;

/** A form with a random hexadecimal digit in place of each `x`. */
function filled(form: string, bytes: Bytes): string {
  return form.replace(/x/g, () => (Number(bytes(1)) % 16).toString(16));
}

/** 88 random bits in 22 of the characters of base64url. */
export function randomId(bytes: Bytes): string {
  return filled('x'.repeat(22), bytes);
}

/** A random UUID, version 4. Not `crypto.randomUUID`, which insecure pages do not have. */
export function randomUuid(bytes: Bytes): string {
  // RFC 9562, 5.4: 4 is the version, 8 to b the variant.
  return filled('xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx', bytes);
}

type Bytes = (count: number) => Uint8Array;

/** The form with a random digit in place of each `x`. The radix is a power of two. */
function filled(form: string, radix: number, bytes: Bytes): string {
  return form.replace(/x/g, () => (Number(bytes(1)) % radix).toString(radix));
}

/** 110 random bits as 22 characters of base64url. */
export function randomId(bytes: Bytes): string {
  return filled('x'.repeat(22), 32, bytes);
}

/** A random UUID, version 4. Not `crypto.randomUUID`, which insecure pages lack. */
export function randomUuid(bytes: Bytes): string {
  // RFC 9562, 5.4: 4 is the version, 8 to b the variant.
  return filled('xxxxxxxx-xxxx-4xxx-axxx-xxxxxxxxxxxx', 16, bytes);
}

type Bytes = (count: number) => Uint8Array;

/** 128 random bits in base64url: 22 characters. */
export function randomId(bytes: Bytes): string {
  const padded = btoa(String.fromCharCode(...bytes(16)));
  return padded.slice(0, 22).replaceAll('+', '-').replaceAll('/', '_');
}

/** A random UUID, version 4. Not `crypto.randomUUID`, which insecure pages do not have. */
export function randomUuid(bytes: Bytes): string {
  const hex = Array.from(bytes(16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  // RFC 9562, 5.4: 4 is the version, 8 to b the variant.
  return hex.replace(/^(.{8})(.{4}).(.{3}).(.{3})/, '$1-$2-4$3-a$4-');
}

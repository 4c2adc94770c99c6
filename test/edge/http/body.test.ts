import { describe, expect, test } from 'vitest';
import { readBody } from '../../../src/edge/http/body.ts';

const NEVER = new AbortController().signal;

const requestOf = (body: BodyInit) => new Request('http://127.0.0.1/', { method: 'POST', body });

const read = (body: BodyInit, maxBytes = 100, deadline = NEVER) =>
  readBody(requestOf(body), maxBytes, deadline);

/** A body of these chunks, which then neither ends nor goes on; and whether it was given up. */
function stalled(...chunks: string[]) {
  const given = { up: false };
  const body = new ReadableStream({
    start: (controller) => {
      for (const chunk of chunks) controller.enqueue(new TextEncoder().encode(chunk));
    },
    cancel: () => {
      given.up = true;
    },
  });
  return { body, given };
}

test('a body is read to its end, even with a character split across two chunks', async () => {
  const bytes = new TextEncoder().encode('a€b');
  const body = new ReadableStream({
    start: (controller) => {
      for (const byte of bytes) controller.enqueue(new Uint8Array([byte]));
      controller.close();
    },
  });

  expect(await read(body)).toEqual({ ok: true, text: 'a€b' });
});

describe('a body of a declared length', () => {
  const declared = (body: BodyInit, length: number, deadline = NEVER) =>
    readBody(
      new Request('http://127.0.0.1/', {
        method: 'POST',
        body,
        headers: { 'Content-Length': String(length) },
      }),
      100,
      deadline,
    );

  test('is read to its end', async () => {
    expect(await declared('a€b', 5)).toEqual({ ok: true, text: 'a€b' });
  });

  test('is refused before it is read if it is too large', async () => {
    const { body } = stalled();

    expect(await declared(body, 101)).toEqual({ ok: false, reason: 'too_large' });
  });

  test('is refused if it is longer than declared, and too large', async () => {
    expect(await declared('x'.repeat(101), 1)).toEqual({ ok: false, reason: 'too_large' });
  });

  test('is abandoned at its deadline', async () => {
    const deadline = new AbortController();

    const reading = declared(stalled('{"v":1,').body, 20, deadline.signal);
    deadline.abort();

    expect(await reading).toEqual({ ok: false, reason: 'too_slow' });
  });

  test('is refused if it is not UTF-8, and the next one is read', async () => {
    expect(await declared(new Uint8Array([0x22, 0xe2, 0x82]), 3)).toEqual({ ok: false, reason: 'not_utf8' });
    expect(await declared('ab', 2)).toEqual({ ok: true, text: 'ab' });
  });
});

test('a request without a body has an empty one', async () => {
  expect(await readBody(new Request('http://127.0.0.1/'), 100, NEVER)).toEqual({ ok: true, text: '' });
});

test('a stalled body is abandoned and cancelled at its deadline', async () => {
  const deadline = new AbortController();
  const { body, given } = stalled('{"v":1,');

  const reading = read(body, 100, deadline.signal);
  deadline.abort();

  expect(await reading).toEqual({ ok: false, reason: 'too_slow' });
  expect(given.up).toBe(true);
});

test('a body past its deadline is not read', async () => {
  expect(await read(stalled().body, 100, AbortSignal.abort())).toEqual({ ok: false, reason: 'too_slow' });
});

test('a body that is too large is cancelled at once, even if it never ends', async () => {
  const { body, given } = stalled('x'.repeat(60), 'x'.repeat(60));

  expect(await read(body)).toEqual({ ok: false, reason: 'too_large' });
  expect(given.up).toBe(true);
});

test('a broken connection is not an invalid body, and its sender retries', async () => {
  const broken = new ReadableStream({
    start: (controller) => controller.enqueue(new Uint8Array([0x7b])),
    pull: (controller) => controller.error(new TypeError('Network connection lost.')),
  });

  await expect(read(broken)).rejects.toThrow('Network connection lost.');
});

describe('invalid UTF-8 is refused', () => {
  test.each([
    ['a byte that no character contains', [0x22, 0xff, 0x22]],
    ['a truncated character at the end', [0x22, 0xe2, 0x82]],
    ['an overlong encoding', [0x22, 0xc0, 0xaf, 0x22]],
    ['half of a surrogate pair', [0x22, 0xed, 0xa0, 0x80, 0x22]],
    ['a code point beyond Unicode', [0x22, 0xf4, 0x90, 0x80, 0x80, 0x22]],
  ])('%s', async (_, bytes) => {
    expect(await read(new Uint8Array(bytes))).toEqual({ ok: false, reason: 'not_utf8' });
  });
});

import { expect, test } from 'vitest';
import { type Stack, startStack } from '../journeys/stack.ts';

// Apps that are web views have origins of their own schemes.

const APPS = [
  'capacitor://localhost',
  'tauri://localhost',
  'app://shop',
  'ionic://localhost',
  'https://tauri.localhost',
];

test('a relay with origins of other schemes accepts their records, and those of its site', async () => {
  const site = 'https://shop.example.com';
  let stack: Stack | undefined;
  try {
    stack = await startStack({ allowedOrigins: [site, ...APPS].join(','), lingerMs: 50 });
    const { relayUrl } = stack;
    const post = async (origin: string, index: number) => {
      const record = {
        kind: 'event',
        id: `${'o'.repeat(20)}${10 + index}.1`,
        userId: 'ada',
        eventName: 'From an app',
      };
      const body = { v: 1, device: '2b9d8f6e-93a4-4b6f-9d3b-5a1c7e2f4d60', records: [record] };
      const answer = await fetch(`${relayUrl}/v1/batch`, {
        method: 'POST',
        headers: { Origin: origin, 'Content-Type': 'text/plain;charset=UTF-8' },
        body: JSON.stringify(body),
      });
      return [origin, answer.status, answer.headers.get('Access-Control-Allow-Origin')];
    };

    const answers = await Promise.all([site, ...APPS].map(post));
    const [other] = await Promise.all([post('capacitor://elsewhere', 50)]);

    expect(answers).toEqual([site, ...APPS].map((origin) => [origin, 202, origin]));
    expect(other).toEqual(['capacitor://elsewhere', 403, null]);
  } finally {
    await stack?.stop();
  }
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { batchSchema } from '../../src/contract/batch.ts';
import { checkRecord } from '../../src/contract/record.ts';
import { serverPlatform } from '../../src/server/platform.ts';
import { deviceOf, messageRecordId, randomSession, SLOTS, slotOf } from '../../src/server/record-id.ts';
import { fakeServerPlatform } from '../fakes/server-platform.ts';

const { digest, chance } = serverPlatform();

// Fixed: with other values, an upgrade would take messages anew that the relay has.
test('slots, devices and ids are the same in every release', async () => {
  expect([slotOf('user johndoe'), slotOf('user janedoe'), slotOf('anonymous a1')]).toEqual([13, 6, 0]);
  expect(await deviceOf('default', 0, digest)).toBe('f7030501-5982-83db-a802-fbe23ae5123c');
  expect(
    await messageRecordId({ kind: 'event', person: 'user johndoe', messageId: 'order-1337' }, digest),
  ).toBe('3px2LnJjP89Pxd6uuz3UCd.1');
});

test('each slot of each source is a device of its own, a UUID of version 8', async () => {
  const devices = await Promise.all(
    ['default', 'billing'].flatMap((source) =>
      Array.from({ length: SLOTS }, (_, slot) => deviceOf(source, slot, digest)),
    ),
  );

  expect(new Set(devices).size).toBe(2 * SLOTS);
  for (const device of devices) {
    expect(device).toMatch(/^[\da-f]{8}-[\da-f]{4}-8[\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/);
    expect(batchSchema.entries.device['~run']({ value: device }, {}).issues).toBeUndefined();
  }
});

test('people fill all slots evenly', () => {
  const counts = Array<number>(SLOTS).fill(0);
  for (let n = 0; n < 16_000; n++) {
    const slot = slotOf(`user ${n}`);
    counts[slot] = (counts[slot] ?? 0) + 1;
  }

  expect(Math.min(...counts)).toBeGreaterThan(700);
  expect(Math.max(...counts)).toBeLessThan(1_300);
});

test('ids are in the form of the contract, and differ if kind, person or messageId do', async () => {
  await fc.assert(
    fc.asyncProperty(fc.string(), fc.string(), async (person, messageId) => {
      const call = { kind: 'event', person, messageId } as const;
      const id = await messageRecordId(call, digest);

      expect(checkRecord({ kind: 'event', id, userId: 'x', eventName: 'x' }).ok).toBe(true);
      for (const other of [
        { ...call, kind: 'user' as const },
        { ...call, person: `${person}.` },
        { ...call, person: `${person}${messageId}`, messageId: '' },
        { ...call, messageId: `${messageId}.` },
      ])
        if (JSON.stringify(other) !== JSON.stringify(call))
          expect(await messageRecordId(other, digest)).not.toBe(id);
    }),
  );
  const session = randomSession(chance.bytes);
  expect(checkRecord({ kind: 'event', id: `${session}.1`, userId: 'x', eventName: 'x' }).ok).toBe(true);
});

test('the played digest is the platform’s', async () => {
  expect([...(await fakeServerPlatform().platform.digest('x'))]).toEqual([...(await digest('x'))]);
});

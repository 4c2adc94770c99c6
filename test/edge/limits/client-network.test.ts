import { expect, test } from 'vitest';
import { networkMarks, networkOf } from '../../../src/edge/limits/client-network.ts';

test.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
  ['2001:DB8:0001:0002::6', '2001:db8:1:2::/64'],
  ['2001:db8::6', '2001:db8:0:0::/64'],
  ['2001:db8:1::', '2001:db8:1:0::/64'],
  ['::1', '0:0:0:0::/64'],
])('%s belongs to the network %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});

test('a pseudonym is the same for one network, differs for another network or secret, and reveals neither', async () => {
  const markOf = networkMarks();
  const mark = await markOf('203.0.113.7', 'secret');

  expect(await markOf('203.0.113.7', 'secret')).toBe(mark);
  expect(await markOf('203.0.113.8', 'secret')).not.toBe(mark);
  expect(await markOf('203.0.113.7', 'another')).not.toBe(mark);
  // And so in another isolate, whatever that has marked before.
  expect(await networkMarks()('203.0.113.7', 'secret')).toBe(mark);
  expect(atob(mark)).toHaveLength(16);
});

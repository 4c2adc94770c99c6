import { createHash } from 'node:crypto';
import type { JournalDisk, Self } from '../../src/server/journal/disk.ts';
import { resolveOptions, type ServerClientOptions } from '../../src/server/options.ts';
import type { ServerPlatform } from '../../src/server/platform.ts';
import { startServerClient } from '../../src/server/server-client.ts';
import { fakeChance } from './chance.ts';
import { dedupingRelay } from './deduping-relay.ts';
import { type fakeDisk, THIS_PROCESS } from './import/journal-disk.ts';
import { fakeTime } from './platform.ts';

export const TOKEN = 'a-server-token-of-enough-characters';

// Of all clients of a test file: no two of them have a random session in common.
let clients = 0;

/** A server's platform, played: time stands still, and the relay takes each record once by device and id. */
export function fakeServerPlatform({
  time = fakeTime(),
  relay = dedupingRelay(time),
  disk,
  self = THIS_PROCESS,
}: {
  readonly time?: ReturnType<typeof fakeTime>;
  readonly relay?: ReturnType<typeof dedupingRelay>;
  readonly disk?: JournalDisk | ReturnType<typeof fakeDisk>['disk'];
  readonly self?: Self;
} = {}) {
  /** How many calls with a `messageId` have got their place. */
  const placed = { count: 0 };
  const platform: ServerPlatform = {
    time,
    chance: fakeChance(++clients),
    // At once: played time does not wait for a thread.
    digest: async (text) => {
      if (text.includes('"message"')) placed.count += 1;
      return createHash('sha256').update(text).digest();
    },
    fetch: (...request) => relay.relay.fetch(...request),
    disk: async () => {
      if (disk === undefined) throw new Error('there is no disk');
      return disk;
    },
    self: async () => self,
  };
  return { platform, time, relay, placed };
}

/** A client on a played platform. */
export function serverWith(
  options: Partial<ServerClientOptions> = {},
  fakes: Parameters<typeof fakeServerPlatform>[0] = {},
) {
  const played = fakeServerPlatform(fakes);
  const reported: Error[] = [];
  const settings = resolveOptions({
    endpoint: 'https://t.example.com',
    token: TOKEN,
    onError: (error) => reported.push(error),
    ...options,
  });
  const client = startServerClient(settings, played.platform);
  const { relay } = played;
  return {
    client,
    reported,
    ...played,
    requests: relay.requests,
    /** The records of each request. */
    sent: () => relay.requests.map(({ records }) => records),
    /** What the relay has, in the order of arrival. */
    arrived: () => [...relay.arrived.values()],
  };
}

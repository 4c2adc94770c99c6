import type { ListedDeadLetter } from '../../src/edge/operator/routes.ts';

export function deadLetter(changes: Partial<ListedDeadLetter> = {}): ListedDeadLetter {
  return {
    id: '1/0:17',
    kind: 'event',
    device: '0b9d6c1e-7a52-4b0e-9a3d-5f2f8c6f1a77',
    acceptedAt: 1_795_486_000_000,
    givenUpAt: 1_795_486_100_000,
    status: 400,
    words: 'Error: invalid.',
    attempts: 2,
    record: { id: 'k3J9xQ.18', userId: 'johndoe', eventName: 'Added to Cart' },
    ...changes,
  };
}

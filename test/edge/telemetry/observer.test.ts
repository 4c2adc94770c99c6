import { describe, expect, test } from 'vitest';
import { answeredIn, type Observations, refusedFor } from '../../../src/edge/telemetry/observations.ts';
import { observer } from '../../../src/edge/telemetry/observer.ts';

const NOW = Date.parse('2026-11-23T12:00:00Z');

describe('an isolate of the Worker', () => {
  test('hands over everything once, with the next batch that is stored', async () => {
    const { observe, carry } = observer();
    observe(answeredIn(10));
    const carried: unknown[] = [];
    const ingest = (stored: boolean) => async (seen: Observations | undefined) => {
      carried.push(seen?.answered.counts[0]);
      return { stored };
    };

    await carry(ingest(false));
    await carry(() => Promise.reject(new Error('gone'))).catch(() => {});
    observe(answeredIn(5));
    await carry(ingest(true));
    await carry(ingest(true));

    expect(carried).toEqual([1, 2, undefined]);
  });

  test('reports refusals by itself, the first at once and others once a minute', async () => {
    const { observe, report } = observer();
    const reports: unknown[] = [];
    const at = async (inMs: number) => {
      observe(refusedFor('rate_limited'));
      await report(async ({ refused }) => void reports.push(refused), NOW + inMs);
    };

    await at(0);
    await at(1_000);
    await at(59_999);
    await at(60_000);

    expect(reports).toEqual([{ rate_limited: 1 }, { rate_limited: 3 }]);
  });

  test('keeps what it could not report', async () => {
    const { observe, report } = observer();
    const reports: unknown[] = [];
    observe(refusedFor('unavailable'));

    await report(() => Promise.reject(new Error('gone')), NOW);
    await report(async ({ refused }) => void reports.push(refused), NOW + 60_000);

    expect(reports).toEqual([{ unavailable: 1 }]);
  });

  test('makes no call for answers alone, which go along with the next batch', () => {
    const { observe, report } = observer();
    observe(answeredIn(10));

    expect(report(async () => {}, NOW)).toBeUndefined();
  });
});

import { expect, test } from 'vitest';
import { openMetrics, plainText } from '../../../src/edge/operator/exposition.ts';
import { metricFamilies } from '../../../src/edge/operator/metric-families.ts';
import { MEASURED } from '../../fakes/metrics/measured.ts';

// The texts that test/metrics.test.ts compares with the guide, the dashboard and the rules, and gives to promtool.
const UPDATE = 'npx vitest run --project edge test/edge/operator/metric-families.test.ts --update';

test(`a busy relay reports the texts in test/edge/fixtures: else \`${UPDATE}\``, async () => {
  const families = metricFamilies(MEASURED);

  await expect(openMetrics(families)).toMatchFileSnapshot('../fixtures/metrics.openmetrics.txt');
  await expect(plainText(families)).toMatchFileSnapshot('../fixtures/metrics.plain.txt');
});

test('pages have sent what no server has, and only what was counted is rejected', () => {
  const [received] = metricFamilies(MEASURED);
  if (received === undefined || received.type === 'histogram') throw new Error('no counter');

  expect(received.samples.map(({ labels, value }) => [labels.sender, labels.outcome, value])).toEqual([
    [undefined, 'accepted', 90],
    [undefined, 'duplicate', 0],
    [undefined, 'rejected', 4],
    ['billing "EU"', 'accepted', 10],
    ['billing "EU"', 'duplicate', 1],
    ['billing "EU"', 'rejected', 2],
  ]);
});

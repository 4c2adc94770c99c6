import { expect, test } from 'vitest';
import { colourRules, INKS, SURFACES } from '../../../src/inspector/view/palette.ts';
import { STYLES } from '../../../src/inspector/view/styles.ts';

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = [1, 3, 5]
    .map((from) => Number.parseInt(colour.slice(from, from + 2), 16) / 255)
    .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: string, other: string): number {
  const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (light + 0.05) / (dark + 0.05);
}

test('contrast is measured as in WCAG', () => {
  expect(contrast('#000000', '#ffffff')).toBe(21);
  expect(contrast('#777777', '#ffffff')).toBeCloseTo(4.48, 2);
});

const pairs = Object.entries(INKS).flatMap(([ink, inks]) =>
  Object.entries(SURFACES).flatMap(([surface, surfaces]) =>
    (['light', 'dark'] as const).map((scheme, index) => [ink, surface, scheme, inks[index], surfaces[index]]),
  ),
) as [string, string, string, string, string][];

test.each(pairs)('%s on %s is readable in the %s scheme', (_ink, _surface, _scheme, ink, surface) => {
  expect(contrast(ink, surface)).toBeGreaterThanOrEqual(4.5);
});

test('only these colours are used', () => {
  const named = [...colourRules().matchAll(/--(\w+):/g)].map(([, name]) => name);
  const used = [...STYLES.matchAll(/var\(--(\w+)\)/g)].map(([, name]) => name);

  expect(new Set(used)).toEqual(new Set(named));
  expect([...STYLES.matchAll(/[^-]color: (?!var\(|inherit)([^;}]+)/g)].map(([, value]) => value)).toEqual([]);
  expect(STYLES).not.toMatch(/#[\da-f]{3}/i);
});

test('a browser that can’t have both schemes gets the light one', () => {
  const [before = '', within = ''] = colourRules().split('@supports');

  expect(before).toContain(`--ink:${INKS.ink[0]}`);
  expect(before).not.toContain('light-dark');
  expect(within).toContain(`--ink:light-dark(${INKS.ink.join()})`);
});

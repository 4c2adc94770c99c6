/** A colour in the light scheme, and in the dark one. */
type Shades = readonly [light: string, dark: string];

/** The colours of surfaces. */
export const SURFACES = {
  surface: ['#ffffff', '#181c1a'],
  sunken: ['#f3f5f2', '#101311'],
} as const satisfies Record<string, Shades>;

/** The colours of text: each with a contrast of 4.5 or more on each surface. */
export const INKS = {
  ink: ['#17201b', '#edf1ee'],
  muted: ['#56615a', '#a2ada6'],
  accent: ['#1f4fd1', '#9ab8ff'],
  good: ['#0a7044', '#5bd69c'],
  warn: ['#8a5200', '#f3b84c'],
  bad: ['#b3261e', '#ff8f85'],
} as const satisfies Record<string, Shades>;

/** The colours of borders and empty places. They carry no meaning alone. */
const LINES = { line: ['#d9ddd7', '#2f3631'] } as const satisfies Record<string, Shades>;

const LIGHT_DARK = 'light-dark(#000,#fff)';

/**
 * All colours as custom properties of the element, which a page may override. Browsers from before 2024 lack
 * `light-dark`, and use the light ones.
 */
export function colourRules(): string {
  const all = Object.entries<Shades>({ ...SURFACES, ...INKS, ...LINES });
  const rule = (value: (shades: Shades) => string) =>
    `:host{${all.map(([name, shades]) => `--${name}:${value(shades)}`).join(';')}}`;
  const both = rule(([light, dark]) => `light-dark(${light},${dark})`);
  return `${rule(([light]) => light)}@supports(color:${LIGHT_DARK}){:host{color-scheme:light dark}${both}}`;
}

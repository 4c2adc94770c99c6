import { ownFields, resolveOptions } from '../tracker/inspect.ts';

/** The settings that identify a tracker's buffer and limit its rate. */
export type InspectedSettings = Pick<
  ReturnType<typeof resolveOptions>,
  'endpoint' | 'burst' | 'requestsPerMinute'
>;

/** The places in a page that may have a tracker's settings. */
export type SettingsSources = {
  readonly inspector: Element;
  readonly scripts: Iterable<HTMLScriptElement>;
  /** The `options` of the page's stub. They can be anything. */
  readonly options?: unknown;
  /** The origin of the inspector's own script, if it has one: most likely a relay. */
  readonly ownOrigin?: string | undefined;
};

// `/tracker.js` or `/tracker.full.js`, or the same with a hash in its name.
const TRACKER = /\/tracker(\.full)?(\.\w{12})?\.js(?![^?#])/;

const NUMBERS = [
  ['burst', 'burst'],
  ['requestsPerMinute', 'requests-per-minute'],
] as const;

/**
 * The settings of the inspected tracker: from the inspector's own attributes, else from the stub, else from the attributes
 * of the tracker's script tag. A tracker's script sends to its own origin by default. Undefined if the endpoint is unknown.
 * Throws a `RangeError` for an invalid setting, as the tracker does.
 */
export function readSettings(sources: SettingsSources): InspectedSettings | undefined {
  const { inspector, scripts, ownOrigin } = sources;
  const options = ownFields<{ readonly [option: string]: unknown }>(Object(sources.options));
  const tag = [...scripts].find(({ src }) => TRACKER.test(src));
  const given = (option: string, attribute: string): unknown =>
    inspector.getAttribute(attribute) ??
    options[option] ??
    tag?.getAttribute(`data-${attribute}`) ??
    undefined;
  const endpoint = given('endpoint', 'endpoint') ?? (tag ? new URL(tag.src).origin : ownOrigin);
  if (endpoint === undefined) return undefined;
  const numbers = NUMBERS.flatMap(([option, attribute]) => {
    const value = given(option, attribute);
    return value === undefined ? [] : [[option, Number(value)] as const];
  });
  return resolveOptions({ endpoint: `${endpoint}`, ...Object.fromEntries(numbers) });
}

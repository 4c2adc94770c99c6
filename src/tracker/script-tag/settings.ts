import { refuseAddOnSettings } from '../options.ts';
import { keys } from '../record/built-ins.ts';

/** Settings as a page has written them: any names, any values. */
export type PageSettings = Record<string, unknown>;

/**
 * The own properties of all sources; of one name the last. Of what is no object there are none.
 * They lie on no prototype: what a page has added to `Object.prototype` sets nothing.
 */
export function ownProperties(...sources: unknown[]): PageSettings {
  return Object.assign(Object.create(null), ...sources);
}

/** `data-batch-size="10"` is `batchSize: 10`; a bare `data-strict` is `true`. Anything else is text. */
function attributeValue(attribute: unknown): unknown {
  if (attribute === '' || attribute === 'true') return true;
  return attribute !== 'false' && (Number(attribute) || attribute);
}

/** The `data-` attributes of a script tag, under their camelCase names. */
export function attributeSettings(attributes: DOMStringMap | undefined): PageSettings {
  const settings = ownProperties();
  // One by one: Chromium can't copy them all where a page has put a `get` on `Object.prototype`.
  for (const name of keys(attributes ?? {})) settings[name] = attributeValue(attributes?.[name]);
  return settings;
}

/**
 * Makes one of the attributes of the script tag and the options on the stub, of which the options win.
 * Throws where a setting is lost, impossible, or more than the bundle can do: then nothing may be kept or sent.
 */
export type JoinSettings = (attributes: PageSettings, options: PageSettings) => PageSettings;

/** For `tracker.js`. A consent that is none, as a template's unfilled `{{consent}}`, is no yes either. */
export const coreSettings: JoinSettings = (...sources) => {
  for (const said of sources) refuseAddOnSettings(said);
  return ownProperties(...sources);
};

// Under these names a relay serves the tracker; a copy on the site's own host has them too.
const TRACKER_URL = /^(https?:\/\/[^/?#@]+)\/([^?#]*\/)?tracker(\.full)?(\.\w{12})?\.js(?![^?#])/;

/** Where the tracker's script comes from, which is the relay unless told otherwise. Throws for any other script. */
export function scriptOrigin(script: HTMLScriptElement | undefined): unknown {
  const [, origin] = TRACKER_URL.exec(script?.src ?? '') ?? [];
  if (origin) return origin;
  throw new Error(
    'no endpoint: set data-endpoint, or webengageRelay.options = { endpoint } before tracker.js',
  );
}

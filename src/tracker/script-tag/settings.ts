import { refuseAddOnSettings } from '../options.ts';
import { keys } from '../record/built-ins.ts';
import { bare } from '../record/own-fields.ts';

/** Settings as a page has written them: any name, any value. */
export type PageSettings = Record<string, unknown>;

/**
 * Reads an attribute: `data-batch-size="10"` is `batchSize: 10`, and a bare `data-strict` is `true`.
 * Anything else is text.
 */
function attributeValue(attribute: unknown): unknown {
  if (attribute === '' || attribute === 'true') return true;
  return attribute !== 'false' && (Number(attribute) || attribute);
}

/** The `data-` attributes of a script tag, under their camelCase names. */
export function attributeSettings(attributes: DOMStringMap | undefined): PageSettings {
  const settings: PageSettings = bare({});
  // One by one: Chromium can't copy them all if a page has added a `get` to `Object.prototype`.
  for (const name of keys(attributes ?? {})) settings[name] = attributeValue(attributes?.[name]);
  return settings;
}

/**
 * Joins the attributes of the script tag with the options on the stub, which win.
 * Throws if a setting is lost, invalid, or needs another bundle: then nothing may be stored or sent.
 */
export type JoinSettings = (attributes: PageSettings, options: PageSettings) => PageSettings;

/**
 * Joins the settings for `tracker.js`. An invalid consent, such as a template's unfilled `{{consent}}`, is
 * not consent either.
 */
export const coreSettings: JoinSettings = (attributes, options) => {
  for (const said of [attributes, options]) refuseAddOnSettings(said);
  return bare({ ...attributes, ...options });
};

// A relay serves the tracker under these names. A copy on the site's own host has them too.
const TRACKER_URL = /^(https?:\/\/[^/?#@]+)\/([^?#]*\/)?tracker(\.full)?(\.\w{12})?\.js(?![^?#])/;

/** The origin of the tracker's script, which is the relay by default. Throws for any other script. */
export function scriptOrigin(script: HTMLScriptElement | undefined): unknown {
  const [, origin] = TRACKER_URL.exec(script?.src ?? '') ?? [];
  if (origin) return origin;
  throw new Error('no endpoint: set data-endpoint, or webengageRelay.options = { endpoint }');
}

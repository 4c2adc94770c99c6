import { ADD_ON_SETTINGS } from '../options.ts';
import { bare } from '../record/own-fields.ts';
import type { JoinSettings, PageSettings } from './settings.ts';

// From the least strict to the strictest.
const CONSENTS: readonly unknown[] = ['granted', 'pending', 'denied'];

/** The strictest consent that is set. Throws for an invalid one, which does not mean consent. */
function strictestConsent(sources: readonly PageSettings[]): unknown {
  const strictness = sources
    .filter((said) => 'consent' in said)
    .map(({ consent }) => {
      const at = CONSENTS.indexOf(consent);
      if (at < 0) throw new RangeError(`consent must be one of ${CONSENTS.join(', ')}, not ${consent}`);
      return at;
    });
  return CONSENTS[Math.max(...strictness)];
}

/** Whether any source asks for it. Throws for anything but a boolean. */
function respectsGpc(sources: readonly PageSettings[]): boolean {
  return sources
    .filter((said) => 'respectGpc' in said)
    .map(({ respectGpc }) => {
      if (typeof respectGpc === 'boolean') return respectGpc;
      throw new RangeError(`respectGpc must be true or false, not ${respectGpc}`);
    })
    .includes(true);
}

// All other options. A tag manager adds `data-` attributes of its own, which don't count.
const CORE_SETTING =
  /^(endpoint|batchSize|maxWaitMs|requestsPerMinute|burst|maxRecords|maxAgeMs|skipRepeatedIdentify|backgroundSync|debug)$/;

/**
 * Throws if the settings of `tracker.full.js` look lost: neither its tag nor the stub has any.
 * A tag manager that drops attributes leaves such a tag, and `data-consent="pending"` may
 * have been among them.
 */
function requireSettings(settings: PageSettings): void {
  for (const name in settings) if (CORE_SETTING.test(name) || name in ADD_ON_SETTINGS) return;
  throw new Error(
    'tracker.full.js has no settings, or has lost them: write data-consent="granted" on its tag, or webengageRelay.options = { consent: "granted" } before it',
  );
}

/**
 * Joins the settings for `tracker.full.js`.
 * Of `consent` and `respectGpc` the stricter value wins, wherever it is set. An invalid value, such as a
 * template's unfilled `{{consent}}`, is an error.
 */
export const fullSettings: JoinSettings = (attributes, options) => {
  const settings: PageSettings = bare({ ...attributes, ...options });
  requireSettings(settings);
  const sources = [attributes, options];
  const consent = strictestConsent(sources);
  if (consent) settings.consent = consent;
  if (respectsGpc(sources)) settings.respectGpc = true;
  return settings;
};

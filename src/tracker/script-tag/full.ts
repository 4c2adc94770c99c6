import { browserPlatform } from '../browser-platform.ts';
import { fullAddOns } from '../full.ts';
import { type OptionsLike, resolveOptions } from '../options.ts';
import { startTracker } from '../tracker.ts';
import { fullSettings } from './full-settings.ts';
import { installTracker } from './install.ts';

installTracker((options: OptionsLike) => {
  const { consent, respectGpc, identityToken, strict, ...core } = options;
  const addOns = fullAddOns({ consent, respectGpc, identityToken, strict });
  return startTracker(resolveOptions(core), browserPlatform(), addOns);
}, fullSettings);

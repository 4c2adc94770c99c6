import { browserPlatform } from '../browser-platform.ts';
import { type FullOptions, fullAddOns } from '../full.ts';
import { type OptionsLike, resolveOptions } from '../options.ts';
import { startTracker } from '../tracker.ts';
import { fullSettings } from './full-settings.ts';
import { installTracker } from './install.ts';

installTracker(
  (options: OptionsLike) =>
    startTracker(resolveOptions(options, true), browserPlatform(), fullAddOns(options as FullOptions)),
  fullSettings,
);

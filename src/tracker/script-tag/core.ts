import { browserPlatform } from '../browser-platform.ts';
import { type OptionsLike, resolveOptions } from '../options.ts';
import { startTracker } from '../tracker.ts';
import { installTracker } from './install.ts';
import { coreSettings } from './settings.ts';

installTracker(
  (options: OptionsLike) => startTracker(resolveOptions(options), browserPlatform()),
  coreSettings,
);

import { browserPlatform } from '../engine/platform.ts';
import { resolveOptions, type TrackerOptions } from '../options.ts';
import { startTracker } from '../tracker.ts';
import { installTracker } from './install.ts';
import { coreSettings } from './settings.ts';

installTracker(
  // It throws for what is no `TrackerOptions`.
  (options) => startTracker(resolveOptions(options as unknown as TrackerOptions), browserPlatform()),
  coreSettings,
);

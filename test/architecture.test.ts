import { readdir, readFile } from 'node:fs/promises';
import { dirname, join, normalize, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * The rooms of the tracker, from the top down: each may use those after it, and itself. A room with its own line of others
 * uses no more than those.
 */
const TRACKER = ['', 'script-tag', 'add-ons', 'engine', 'unload', 'delivery', 'store', 'platform', 'record'];

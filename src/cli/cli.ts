import { argv, cwd, env, stderr, stdin, stdout } from 'node:process';
import { setTimeout } from 'node:timers/promises';
import { runCommand } from './command.ts';
import { dev } from './dev/dev.ts';
import { endingSignal } from './dev/shutdown-signal.ts';
import { doctor } from './doctor/doctor.ts';
import { wantsColor } from './doctor/format-check.ts';
import { erase } from './erase/erase.ts';
import { importFile } from './import/import.ts';
import { keepHeapSmall } from './import/small-heap.ts';
import { init } from './init/init.ts';
import { readPackage } from './package.ts';
import { probe } from './probe/probe.ts';
import { restore } from './restore/restore.ts';
import { run } from './spawn.ts';
import { types } from './types/types.ts';

const root = new URL('..', import.meta.url);
const world = {
  own: readPackage(root),
  say: (line: string) => void stdout.write(`${line}\n`),
  complain: (line: string) => void stderr.write(`webengage-relay: ${line}\n`),
  env,
};

process.exitCode = await runCommand(argv.slice(2), {
  dev: (options) => dev(options, { ...world, root, dir: cwd(), signal: endingSignal() }),
  init: (options) => init(options, { ...world, terminal: { input: stdin, output: stdout }, run }),
  doctor: (options) => doctor(options, { ...world, colored: wantsColor(stdout, env) }),
  types: (options) => types(options, world),
  import: (options) => {
    // A file is checked as fast as possible, but sent as fast as WebEngage allows.
    if (!options.dryRun) keepHeapSmall();
    return importFile(options, { ...world, stdin, progress: stderr, now: Date.now });
  },
  erase: (options) => erase(options, { ...world, stdin }),
  restore: (options) => restore(options, world),
  probe: (options) => {
    const signal = endingSignal();
    // An interrupt ends the wait. The caller then checks the signal.
    const wait = (ms: number) => setTimeout(ms, undefined, { signal }).catch(() => undefined);
    return probe(options, {
      ...world,
      terminal: { input: stdin, output: stdout },
      wait,
      now: Date.now,
      fetch,
      signal,
    });
  },
});

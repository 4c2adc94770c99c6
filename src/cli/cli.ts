import { argv, cwd, env, stderr, stdin, stdout } from 'node:process';
import { HELP, readCommand } from './command.ts';
import { dev } from './dev/dev.ts';
import { endingSignal } from './dev/shutdown-signal.ts';
import { doctor } from './doctor/doctor.ts';
import { wantsColor } from './doctor/format-check.ts';
import { init } from './init/init.ts';
import { readPackage } from './package.ts';
import { run } from './spawn.ts';
import { Interrupted, terminalOf } from './terminal.ts';
import { types } from './types/types.ts';

// Of a program that Ctrl-C has ended, as shells have it: 128 and the signal's number.
const INTERRUPTED = 130;

async function main(): Promise<number> {
  const command = readCommand(argv.slice(2));
  const root = new URL('..', import.meta.url);
  const own = readPackage(root);
  const say = (line: string) => void stdout.write(`${line}\n`);
  const complain = (line: string) => void stderr.write(`webengage-relay: ${line}\n`);
  switch (command.kind) {
    case 'help':
      say(HELP);
      return 0;
    case 'version':
      say(own.version);
      return 0;
    case 'dev':
      return dev(command.options, { own, root, dir: cwd(), say, complain, signal: endingSignal() });
    case 'init':
      return init(command.options, { own, terminal: terminalOf(stdin, stdout), run, env });
    case 'doctor':
      return doctor(command.options, { own, say, complain, colored: wantsColor(stdout, env), env });
    case 'types':
      return types(command.options, { say, complain });
    case 'misuse':
      complain(`${command.message}\n\n${HELP}`);
      return 2;
  }
}

process.exitCode = await main().catch((error: unknown) => {
  if (error instanceof Interrupted) {
    stdout.write('\n');
    return INTERRUPTED;
  }
  throw error;
});

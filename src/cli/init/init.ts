import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { ExitCode } from '../exit-code.ts';
import type { Package } from '../package.ts';
import { scriptTag } from '../script-tag.ts';
import type { Run } from '../spawn.ts';
import { folderFault, writeFiles } from './files.ts';
import { checkKey } from './key-check.ts';
import type { InitOptions } from './options.ts';
import { type Answers, frameFiles, relayFiles } from './project.ts';
import { askAll } from './prompts.ts';
import { type Failure, installCommands, prepareWrangler, putSecret } from './secrets.ts';
import { isInteractive, NoAnswer, type Terminal } from './terminal.ts';

type World = {
  readonly own: Package;
  readonly terminal: Terminal;
  readonly say: (text: string) => void;
  readonly complain: (line: string) => void;
  readonly run: Run;
  readonly env: Readonly<Record<string, string | undefined>>;
};

const SECRETS = ['WEBENGAGE_API_KEY', 'ADMIN_TOKEN'] as const;

type Secret = (typeof SECRETS)[number];

const ADMIN_TOKEN_BYTES = 32;

/** Creates your own relay: asks, checks, writes the files, sets the secrets, and names the next steps. */
export async function init(options: InitOptions, world: World): Promise<ExitCode> {
  const { own, terminal, say, complain, env } = world;
  const { dir, force = false, secrets } = options;
  const fail = (message: string, code: ExitCode): ExitCode => {
    complain(`${message}. Nothing was written.`);
    return code;
  };

  // Checked before the questions, so that no answer is given in vain.
  const unfit = folderFault(dir, force);
  if (unfit !== undefined) return fail(unfit, 1);

  const asked = await askAll(options, terminal, env.WEBENGAGE_API_KEY).catch((error: unknown) => {
    if (error instanceof NoAnswer) return error;
    throw error;
  });
  if (asked instanceof NoAnswer) return fail(asked.message, asked.exitCode);
  const { answers, key, checksKey, wantsToken } = asked;
  if (checksKey) {
    const { verdict, words } = await checkKey(settingsOf(answers, key, world));
    if (verdict === 'wrong') return fail(words, 1);
    say(`${words}.`);
  }

  const written = [
    ...(await writeFiles(dir, relayFiles(answers, own), force)),
    // Existing ones may be the user's own, and stay.
    ...(await writeFiles(dir, frameFiles(own), false)),
  ];
  for (const path of written) say(`wrote ${path}`);

  const { unset, failure } = secrets ? await handOver(key, wantsToken, dir, world) : ONLY_FILES;
  if (failure !== undefined) complain(whatIsNotDone(failure, unset));
  say(nextSteps(answers, { dir, unset, install: installCommands(dir, own), homepage: own.homepage }));
  if (failure === undefined) return 0;
  return failure.isInterrupted ? 130 : 1;
}

function settingsOf({ license, region }: Answers, key: string, { env }: World) {
  return {
    WEBENGAGE_API_KEY: key,
    WEBENGAGE_LICENSE_CODE: license,
    WEBENGAGE_REGION: region,
    // In development, as for the relay itself: the sandbox.
    ...(env.WEBENGAGE_HOST && { WEBENGAGE_HOST: env.WEBENGAGE_HOST }),
  };
}

type HandedOver = {
  /** Secrets that are wanted and still to be set. */
  readonly unset: readonly Secret[];
  readonly failure: Failure | undefined;
};

const ONLY_FILES: HandedOver = { unset: SECRETS, failure: undefined };

/** Sets the secrets, up to the first step that fails. */
async function handOver(
  key: string,
  wantsToken: boolean,
  dir: string,
  { terminal, own, run, say }: World,
): Promise<HandedOver> {
  const project = { dir, run, interactive: isInteractive(terminal), say };
  const failure =
    (await prepareWrangler(project, own)) ?? (await putSecret(project, 'WEBENGAGE_API_KEY', key));
  if (failure !== undefined) return { unset: SECRETS, failure };

  if (!wantsToken) return { unset: [], failure: undefined };
  const adminToken = randomBytes(ADMIN_TOKEN_BYTES).toString('base64url');
  const refused = await putSecret(project, 'ADMIN_TOKEN', adminToken);
  if (refused !== undefined) return { unset: ['ADMIN_TOKEN'], failure: refused };
  say(`ADMIN_TOKEN, shown only once: ${adminToken}`);
  return { unset: [], failure: undefined };
}

function whatIsNotDone({ command, isInterrupted }: Failure, unset: readonly Secret[]): string {
  const isKeyUnset = unset.includes('WEBENGAGE_API_KEY');
  if (isInterrupted)
    return `Interrupted: the files are written, ${isKeyUnset ? 'the key' : 'ADMIN_TOKEN'} is not set.`;
  const missing = isKeyUnset ? 'no secret' : 'no ADMIN_TOKEN';
  return `\`${command}\` failed, so ${missing} is set. Correct that, then continue with these steps.`;
}

/** What to know before a secret is set by hand. */
const NOTES: { readonly [name in Secret]: string } = {
  WEBENGAGE_API_KEY: '# answer yes if it offers to create the Worker',
  ADMIN_TOKEN: '# optional, for /admin/; to make one: openssl rand -base64 32',
};

type Left = {
  readonly dir: string;
  /** Secrets that are still to be set. */
  readonly unset: readonly Secret[];
  readonly install: readonly (readonly string[])[];
  readonly homepage: string;
};

/** The next steps, in order. */
function nextSteps({ name, domain, origins }: Answers, { dir, unset, install, homepage }: Left): string {
  const url = `https://${domain || `${name}.<your subdomain>.workers.dev`}`;
  const [site = '*'] = origins.split(',').map((origin) => origin.trim());
  const commands = [
    ...(resolve(dir) === process.cwd() ? [] : [`cd ${dir}`]),
    ...install.map((command) => command.join(' ')),
    // Notes have lines of their own: an interactive zsh takes a `#` after a command for an argument.
    ...unset.flatMap((secret) => [NOTES[secret], `npx wrangler secret put ${secret}`]),
    "# on Cloudflare's free plan, first set MAX_SUBREQUESTS in wrangler.jsonc",
    'npx wrangler deploy',
    `npx webengage-relay doctor ${url}${site.includes('*') ? '' : ` --origin ${site}`}`,
  ];
  return `
Next:

${commands.map((command) => `  ${command}`).join('\n')}

Add these two lines to each page, as early as possible:

${scriptTag(url)}

For domains, upgrades, rollback and CSP, see docs/guides/deploying.md at ${homepage}`;
}

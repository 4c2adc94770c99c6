import { randomBytes } from 'node:crypto';
import { resolve } from 'node:path';
import type { InitOptions } from '../command.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Package } from '../package.ts';
import { scriptTag } from '../script-tag.ts';
import type { Run } from '../spawn.ts';
import { folderFault, writeFiles } from './files.ts';
import { checkKey } from './key-check.ts';
import { type Answers, frameFiles, relayFiles } from './project.ts';
import { askAll } from './prompts.ts';
import { installCommands, prepareWrangler, putSecret } from './secrets.ts';
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

/** Makes a relay of one's own: asks, checks, writes, hands over the secrets, and says what comes next. */
export async function init(options: InitOptions, world: World): Promise<ExitCode> {
  const { own, terminal, say, complain, env } = world;
  const { dir, force = false, secrets } = options;
  const fail = (message: string, code: ExitCode): ExitCode => {
    complain(`${message}. Nothing was written.`);
    return code;
  };

  // Before anything is asked: nobody answers questions to be told no.
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
    // Whoever's they are, if they are there.
    ...(await writeFiles(dir, frameFiles(own), false)),
  ];
  for (const path of written) say(`wrote ${path}`);

  const unset = secrets ? await handOver(key, wantsToken, dir, world) : SECRETS;
  say(nextSteps(answers, { dir, unset, install: installCommands(dir, own) }));
  return secrets && unset.length > 0 ? 1 : 0;
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

/** Sets the secrets; resolves to the names of those that are wanted and still to be set. */
async function handOver(
  key: string,
  wantsToken: boolean,
  dir: string,
  { terminal, own, run, say }: World,
): Promise<readonly Secret[]> {
  const project = { dir, run, interactive: isInteractive(terminal), say };
  if (!(await prepareWrangler(project, own))) return SECRETS;
  if (!(await putSecret(project, 'WEBENGAGE_API_KEY', key))) return SECRETS;

  if (!wantsToken) return [];
  const adminToken = randomBytes(ADMIN_TOKEN_BYTES).toString('base64url');
  if (!(await putSecret(project, 'ADMIN_TOKEN', adminToken))) return ['ADMIN_TOKEN'];
  say(`ADMIN_TOKEN, shown only once: ${adminToken}`);
  return [];
}

type Left = {
  readonly dir: string;
  /** Secrets that are still to be set. */
  readonly unset: readonly Secret[];
  readonly install: readonly (readonly string[])[];
};

/** What is left to do, in the order in which it is done. */
function nextSteps({ name, domain, origins }: Answers, { dir, unset, install }: Left): string {
  const url = `https://${domain || `${name}.<your subdomain>.workers.dev`}`;
  const [site = '*'] = origins.split(',').map((origin) => origin.trim());
  const commands = [
    ...(resolve(dir) === process.cwd() ? [] : [`cd ${dir}`]),
    ...install.map((command) => command.join(' ')),
    ...unset.map((secret) => `npx wrangler secret put ${secret}`),
    'npx wrangler deploy',
    `npx webengage-relay doctor ${url}${site.includes('*') ? '' : ` --origin ${site}`}`,
  ];
  return `
Next:

${commands.map((command) => `  ${command}`).join('\n')}

Add these two lines to each page, as early as possible:

${scriptTag(url)}

For domains, upgrades, rollback and CSP, see docs/guides/deploying.md of webengage-relay.`;
}

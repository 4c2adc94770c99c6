import { readFile } from 'node:fs/promises';
import { relative } from 'node:path';
import { messageIn } from '../doctor/response-body.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Package } from '../package.ts';
import { type Profile, parseProfile, type ReadProfile } from '../probe/profile.ts';
import { sandboxOrder } from '../probe/sandbox-order.ts';
import { scriptTag } from '../script-tag.ts';
import { hasServerToken, isInstalledIn, ownRelayIn } from './find-project.ts';
import { type LocalRelay, startLocalRelay } from './local-relay.ts';
import type { DevOptions } from './options.ts';
import { configOf } from './packaged-workers.ts';
import { servePage } from './page-server.ts';
import { isTaken } from './ports.ts';
import { aborted } from './shutdown-signal.ts';
import { firstPage } from './starter-page.ts';
import { makeScratch } from './temp-dir.ts';
import { findWrangler } from './wrangler.ts';

type World = {
  readonly own: Package;
  /** The package's own folder. */
  readonly root: URL;
  /** The folder it is called in. */
  readonly dir: string;
  readonly say: (line: string) => void;
  readonly complain: (line: string) => void;
  /** Aborted once somebody ends it: Ctrl-C. */
  readonly signal: AbortSignal;
};

/** Runs a relay on this machine, with the sandbox for WebEngage and a page to try it, until it is ended. Nothing of it stays. */
export async function dev(options: DevOptions, world: World): Promise<ExitCode> {
  const { say, complain, signal } = world;
  const missing = await whatIsMissing(options, world);
  if (missing !== undefined) {
    complain(missing);
    return 1;
  }

  const profile = options.profile === undefined ? undefined : await readProfile(options.profile);
  if (profile !== undefined && !profile.ok) {
    complain(`${options.profile}: ${profile.message}`);
    return 1;
  }

  const started = await start(options, world).catch((error: unknown) =>
    error instanceof Error ? error.message : String(error),
  );
  if (typeof started === 'string') {
    if (!signal.aborted) complain(started);
    return signal.aborted ? 0 : 1;
  }
  const refused = profile && (await play(profile.profile, started));
  if (refused !== undefined) {
    complain(refused);
    await started.stop();
    return 1;
  }
  const page = await servePage(firstPage(started), options.pagePort);
  say(whatIsWhere(started, options));
  const toSet = await faultOf(started);
  if (toSet !== undefined) complain(`the relay says: ${toSet}`);

  const ended = await Promise.race([aborted(signal), started.ended]);
  page.stop();
  await started.stop();
  if (ended === undefined || signal.aborted) return 0;
  complain(`the relay or the sandbox stopped unexpectedly:\n${ended}`);
  return 1;
}

/** Reads an account's profile from its file. */
async function readProfile(path: string): Promise<ReadProfile> {
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text !== undefined) return parseProfile(text);
  return { ok: false, message: "the file does not exist or can't be read: webengage-relay probe writes it" };
}

/** Makes the sandbox behave as the account that was probed. Returns why it can't, or undefined. */
async function play(profile: Profile, { sandboxUrl }: LocalRelay): Promise<string | undefined> {
  const answer = await fetch(`${sandboxUrl}/control`, {
    method: 'POST',
    body: JSON.stringify(sandboxOrder(profile.answers)),
  });
  return answer.ok ? undefined : `the sandbox refuses the profile: ${await answer.text()}`;
}

/** Returns why it can't start, and the remedy. Undefined if it can. */
async function whatIsMissing(
  { port, sandboxPort, pagePort }: DevOptions,
  { dir, own }: World,
): Promise<string | undefined> {
  if (ownRelayIn(dir) !== undefined && !isInstalledIn(dir))
    return 'webengage-relay is not installed in this folder: run npm install';
  if (findWrangler(dir) === undefined)
    return `Wrangler, Cloudflare's tool that runs the relay, is not installed: run npm install --save-dev wrangler@${own.wrangler}`;
  for (const [flag, each] of Object.entries({ port, 'sandbox-port': sandboxPort, 'page-port': pagePort }))
    if (await isTaken(each))
      return `port ${each} is in use: stop the program that listens there, or choose another port with --${flag}`;
  return undefined;
}

/** The relay whose project this folder is, or the one that the package brings. */
async function start(options: DevOptions, { root, dir, say, complain, signal }: World): Promise<LocalRelay> {
  const storage = makeScratch('webengage-relay-dev');
  const project = ownRelayIn(dir);
  const which = project === undefined ? 'the default relay' : `your relay, by ${relative(dir, project)}`;
  say(`Starting ${which}, with a sandbox in place of WebEngage …`);
  return startLocalRelay({
    relay: { config: project ?? configOf('relay', root, storage), port: options.port },
    sandbox: { config: configOf('sandbox', root, storage), port: options.sandboxPort },
    origins: originsOf(options),
    makesServerToken: project === undefined || !hasServerToken(project),
    storage,
    signal,
    onOutput: complain,
  });
}

function originsOf({ origins, pagePort }: DevOptions): string {
  // Your own page may be anywhere on this machine, even in a file, and no real records are here.
  return origins === undefined ? '*' : `${origins},http://localhost:${pagePort}`;
}

function whatIsWhere(
  { relayUrl, sandboxUrl, adminToken, serverToken }: LocalRelay,
  { pagePort, origins }: DevOptions,
): string {
  const accepts =
    origins === undefined ? 'any page; --origins restricts it' : `the first page and pages of ${origins}`;
  const forServers =
    serverToken === undefined ? '' : `\n  Servers, imports     SERVER_TOKEN=${serverToken}      for this run`;
  return `
  A first page         http://localhost:${pagePort}      press its buttons, and watch each record
  WebEngage (sandbox)  ${sandboxUrl}      what has arrived, and faults to switch on
  The relay            ${relayUrl}      accepts ${accepts}
  Admin page           ${relayUrl}/admin/      its token, for this run: ${adminToken}${forServers}

Add these two lines to your page, as early as possible:

${scriptTag(relayUrl)}

Or in your code:

import { createTracker } from 'webengage-relay';
const tracker = createTracker({ endpoint: '${relayUrl}' });

Ctrl-C stops everything and deletes what it stored.`;
}

/** What the relay says is missing: a project may have wrong settings. */
async function faultOf({ relayUrl }: LocalRelay): Promise<string | undefined> {
  const health = await fetch(`${relayUrl}/health`);
  return health.ok ? undefined : messageIn(await health.text());
}

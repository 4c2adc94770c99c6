import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type LocalWorker, startWorker } from '../../src/cli/dev/local-worker.ts';
import { README_STUB } from '../readme-stub.ts';
import { freePort } from './free-port.ts';
import type { WebEngageCall, WebEngageRecords } from './received.ts';

/** The whole path on this machine: a site, the relay, and WebEngage played by the sandbox. */
export type Stack = {
  readonly apiKey: string;
  readonly licenseCode: string;
  readonly adminToken: string;
  /** A page that loads the tracker by its script tag. `?stub` calls it before it has loaded. */
  readonly siteUrl: string;
  readonly relayUrl: string;
  /** What the relay persists to. A Worker that starts with the same folder finds it by its name. */
  readonly relayStorage: string;
  readonly sandboxUrl: string;
  readonly stopRelay: () => Promise<void>;
  readonly startRelay: () => Promise<void>;
  readonly order: (control: object) => Promise<void>;
  readonly received: () => Promise<WebEngageRecords>;
  readonly calls: () => Promise<readonly WebEngageCall[]>;
  /** Records that the relay has accepted and not yet delivered. */
  readonly backlog: () => Promise<number>;
  readonly empty: () => Promise<void>;
  readonly stop: () => Promise<void>;
};

/** Tokens, which the relay then requires: by which key it verifies them, and how the site's server makes them. */
type Identity = { readonly key: string; readonly token: (userId: string) => Promise<string> };

/** A site of one page. It keeps its own copy of the script, so that it loads while the relay is down. */
async function startSite(relayUrl: string, identity?: Identity) {
  const name = identity ? 'tracker.full.js' : 'tracker.js';
  const script = await readFile(`dist/${name}`);
  // The function is defined later than the script that is told its name.
  const identityToken = identity
    ? `<script>addEventListener('load', () => {
        identityToken = async (userId) => (await fetch('/token?' + userId)).text();
      });</script>`
    : '';
  const page = `<!doctype html><meta charset="utf-8"><title>A site</title>
    ${README_STUB}
    <script>if (location.search === '?stub') { webengageRelay.identify('early-bird'); webengageRelay.track('Early'); }
      if (location.search === '?steps') {
        webengageRelay.track('Before the step');
        webengageRelay.use((call) => ({ ...call, eventData: { Store: 'Berlin' } }));
        webengageRelay.track('After the step');
      }
      if (location.search === '?hold') { held = webengageRelay; ({ track } = webengageRelay); }</script>
    <script async src="/${name}" data-endpoint="${relayUrl}" data-max-wait-ms="1000" data-cookieconsent="statistics"
      ${identity ? 'data-identity-token="identityToken"' : ''}></script>${identityToken}`;
  const server = createServer(async (request, response) => {
    const [path, userId = ''] = (request.url ?? '').split('?');
    if (identity && path === '/token') {
      response.end(await identity.token(userId).catch(() => 'refused'));
      return;
    }
    const isScript = request.url === `/${name}`;
    response.setHeader('Content-Type', isScript ? 'text/javascript' : 'text/html');
    response.end(isScript ? script : page);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { server, url: `http://127.0.0.1:${port}` };
}

export type StackOptions = {
  /** Origins the relay takes records from; the site's own, if none are given. */
  readonly allowedOrigins?: string;
  /** How long the relay lets records wait for others, in milliseconds. */
  readonly lingerMs?: number;
  /** What else the relay is set to. */
  readonly settings?: Readonly<Record<string, string>>;
  /** The wrangler.jsonc of the relay; this repository's, if none is given. */
  readonly relayConfig?: string;
  /** The entry file of the relay; that of its configuration, if none is given. */
  readonly relayEntry?: string;
  readonly identity?: Identity;
};

export async function startStack({
  allowedOrigins,
  lingerMs,
  settings,
  relayConfig = 'wrangler.jsonc',
  relayEntry,
  identity,
}: StackOptions = {}): Promise<Stack> {
  const storage = await mkdtemp(join(tmpdir(), 'webengage-relay-journey-'));
  const apiKey = randomBytes(24).toString('hex');
  const adminToken = randomBytes(24).toString('hex');
  const licenseCode = '~journey';
  const [relayPort, sandboxPort] = [await freePort(), await freePort()];
  const relayUrl = `http://127.0.0.1:${relayPort}`;
  const site = await startSite(relayUrl, identity);

  const sandbox = await startWorker({
    config: 'src/sandbox/wrangler.jsonc',
    port: sandboxPort,
    vars: { WEBENGAGE_API_KEY: apiKey, WEBENGAGE_LICENSE_CODE: licenseCode },
    persistTo: join(storage, 'sandbox'),
  });
  const bootRelay = () =>
    startWorker({
      config: relayConfig,
      ...(relayEntry !== undefined && { entry: relayEntry }),
      port: relayPort,
      vars: {
        WEBENGAGE_API_KEY: apiKey,
        WEBENGAGE_LICENSE_CODE: licenseCode,
        WEBENGAGE_HOST: sandbox.url,
        ALLOWED_ORIGINS: allowedOrigins ?? site.url,
        ...(lingerMs !== undefined && { LINGER_MS: String(lingerMs) }),
        ADMIN_TOKEN: adminToken,
        ...(identity && { IDENTITY: 'required', IDENTITY_KEY: identity.key }),
        ...settings,
      },
      persistTo: join(storage, 'relay'),
    });
  let relay: LocalWorker | undefined = await bootRelay();
  const ask = async <T>(path: string): Promise<T> => (await fetch(`${sandbox.url}${path}`)).json();

  return {
    apiKey,
    licenseCode,
    adminToken,
    siteUrl: site.url,
    relayUrl,
    relayStorage: join(storage, 'relay'),
    sandboxUrl: sandbox.url,
    // As a machine that goes dark: nothing is tidied up.
    stopRelay: async () => {
      await relay?.stop('SIGKILL');
      relay = undefined;
    },
    startRelay: async () => {
      relay = await bootRelay();
    },
    order: async (control) => {
      await fetch(`${sandbox.url}/control`, { method: 'POST', body: JSON.stringify(control) });
    },
    received: () => ask('/records'),
    calls: () => ask('/calls'),
    backlog: async () => {
      const status = await fetch(`${relayUrl}/admin/status`, {
        headers: { Authorization: `Bearer ${adminToken}` },
      });
      return (await status.json()).backlog.records;
    },
    empty: async () => {
      await fetch(`${sandbox.url}/records`, { method: 'DELETE' });
    },
    stop: async () => {
      site.server.close();
      site.server.closeAllConnections();
      await Promise.all([relay?.stop(), sandbox.stop()]);
      await rm(storage, { recursive: true, force: true });
    },
  };
}

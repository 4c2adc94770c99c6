import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startWorker } from './local-worker.ts';
import { startShop } from './shop-server.ts';

const ports = {
  shop: port('SHOP_PORT', 8789),
  relay: port('RELAY_PORT', 8787),
  sandbox: port('SANDBOX_PORT', 8788),
};

// Made anew at each start: whoever looks for it in the page will not find it there.
const apiKey = randomBytes(24).toString('hex');
const adminToken = randomBytes(24).toString('hex');
const licenseCode = '~sandbox';

function port(variable: string, otherwise: number): number {
  const value = Number(process.env[variable] ?? otherwise);
  if (!Number.isInteger(value) || value < 1 || value > 65_535)
    fail(`${variable} must be a port, from 1 to 65535`);
  return value;
}

function fail(message: string): never {
  console.error(message);
  process.exit(1);
}

async function mustBeFree(what: keyof typeof ports): Promise<void> {
  const probe = createServer().listen(ports[what], '127.0.0.1');
  await once(probe, 'listening').catch(() =>
    fail(`Port ${ports[what]} is taken: set ${what.toUpperCase()}_PORT to another one for the ${what}.`),
  );
  probe.close();
}

if (new Set(Object.values(ports)).size < 3) fail('SHOP_PORT, RELAY_PORT and SANDBOX_PORT must differ.');
for (const what of ['shop', 'relay', 'sandbox'] as const) await mustBeFree(what);

const storage = await mkdtemp(join(tmpdir(), 'webengage-relay-demo-'));
// Whenever and however it ends, nothing of it is left: the Workers' processes go with this one.
process.on('exit', () => rmSync(storage, { recursive: true, force: true, maxRetries: 5 }));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(signal, () => process.exit(0));

const sandboxUrl = `http://127.0.0.1:${ports.sandbox}`;

console.log('Starting WebEngage (a sandbox), the relay and a shop …');
const [sandbox, relay] = await Promise.all([
  startWorker({
    config: 'demo/sandbox/wrangler.jsonc',
    port: ports.sandbox,
    vars: { WEBENGAGE_API_KEY: apiKey, WEBENGAGE_LICENSE_CODE: licenseCode },
    persistTo: join(storage, 'sandbox'),
  }),
  startWorker({
    config: 'wrangler.jsonc',
    entry: 'demo/relay.js',
    port: ports.relay,
    vars: {
      WEBENGAGE_API_KEY: apiKey,
      WEBENGAGE_LICENSE_CODE: licenseCode,
      WEBENGAGE_HOST: sandboxUrl,
      ALLOWED_ORIGINS: `http://localhost:${ports.shop},http://127.0.0.1:${ports.shop}`,
      ADMIN_TOKEN: adminToken,
    },
    persistTo: join(storage, 'relay'),
  }),
]).catch((error: unknown) => fail(String(error)));
await startShop({ port: ports.shop, relayUrl: relay.url, sandboxUrl, adminToken });

console.log(`
  Shop                 http://localhost:${ports.shop}      click around, and watch each record's way
  Relay                ${relay.url}/health      serves /tracker.js, takes /v1/batch
  WebEngage (sandbox)  ${sandbox.url}      what arrived, and faults to order
  Operator's page      ${relay.url}/admin/      its token, for this run: ${adminToken}

  Ctrl-C stops all three.`);

import { fileURLToPath } from 'node:url';
import { startLocalRelay } from '../src/cli/dev/local-relay.ts';
import { isTaken } from '../src/cli/dev/ports.ts';
import { aborted, endingSignal } from '../src/cli/dev/shutdown-signal.ts';
import { makeScratch } from '../src/cli/dev/temp-dir.ts';
import { startShop } from './shop-server.ts';

const ports = {
  shop: port('SHOP_PORT', 8789),
  relay: port('RELAY_PORT', 8787),
  sandbox: port('SANDBOX_PORT', 8788),
};

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

const configOf = (path: string) => fileURLToPath(new URL(path, import.meta.url));

if (new Set(Object.values(ports)).size < 3) fail('SHOP_PORT, RELAY_PORT and SANDBOX_PORT must differ.');
for (const what of ['shop', 'relay', 'sandbox'] as const)
  if (await isTaken(ports[what]))
    fail(`Port ${ports[what]} is taken: set ${what.toUpperCase()}_PORT to another one for the ${what}.`);

const signal = endingSignal();

console.log('Starting WebEngage (a sandbox), the relay and a shop …');
const { relayUrl, sandboxUrl, adminToken, serverToken, stop } = await startLocalRelay({
  relay: { config: configOf('../wrangler.jsonc'), entry: configOf('relay.js'), port: ports.relay },
  sandbox: { config: configOf('../src/sandbox/wrangler.jsonc'), port: ports.sandbox },
  origins: `http://localhost:${ports.shop},http://127.0.0.1:${ports.shop}`,
  makesServerToken: true,
  storage: makeScratch('webengage-relay-demo'),
  signal,
}).catch((error: unknown) => (signal.aborted ? process.exit(0) : fail(String(error))));
const shop = await startShop({ port: ports.shop, relayUrl, sandboxUrl, adminToken });

console.log(`
  Shop                 http://localhost:${ports.shop}      click around, and follow each record
  Relay                ${relayUrl}/health      serves /tracker.js, takes /v1/batch
  WebEngage (sandbox)  ${sandboxUrl}      what arrived, and faults to switch on
  Admin page           ${relayUrl}/admin/      its token, for this run: ${adminToken}
  Servers, imports     SERVER_TOKEN=${serverToken}      for this run

  Ctrl-C stops all three.`);

// However it ends, the Workers' processes and their storage go with this one.
await aborted(signal);
shop.close();
shop.closeAllConnections();
await stop();

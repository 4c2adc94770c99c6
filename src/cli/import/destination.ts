import { webEngage } from '../../edge/delivery/webengage.ts';
import { readSettings } from '../../edge/settings/settings.ts';
import { directSender } from '../../import/send/direct/direct-sender.ts';
import { relaySender } from '../../import/send/relay/relay-sender.ts';
import type { Sender, SenderPorts } from '../../import/send/sender.ts';
import { isPrivate } from '../address.ts';
import type { ImportOptions } from './options.ts';

/** Where rows go. */
export type Destination = {
  readonly ok: true;
  /** For people, and for the journal: it belongs to one destination. */
  readonly into: string;
  /** Only the journal knows which rows were sent, so it stays after a complete run. */
  readonly needsJournal: boolean;
  readonly sender: (ports: SenderPorts, digest: string) => Promise<Sender>;
};

/** `message` names the option or variable, and the remedy. It never contains a secret. */
type NoDestination = { readonly ok: false; readonly message: string };

type Env = Readonly<Record<string, string | undefined>>;

const REQUEST_TIMEOUT_MS = 30_000;

// A token with another character would throw at the first request, with the token in the error.
const HEADER_VALUE = /^[\x21-\x7e]+$/;

/** Checks the options and variables that say where rows go. */
export function destinationOf(options: ImportOptions, env: Env): Destination | NoDestination {
  return options.direct ? webEngageOf(options, env) : relayOf(options, env);
}

function relayOf({ relay: endpoint = '', tokenEnv }: ImportOptions, env: Env): Destination | NoDestination {
  const token = env[tokenEnv]?.trim() ?? '';
  if (token === '')
    return no(`the variable ${tokenEnv} is not set: it must hold a server token of ${endpoint}`);
  if (!HEADER_VALUE.test(token)) return no(`${tokenEnv} must be printable ASCII without spaces`);
  if (!isPrivate(endpoint)) return no('the token is only sent over https: use an https address for --relay');
  const target = { endpoint, token, tokenEnv, timeoutMs: REQUEST_TIMEOUT_MS };
  return {
    ok: true,
    into: endpoint,
    needsJournal: false,
    sender: (ports, digest) => relaySender(ports, target, digest),
  };
}

function webEngageOf(
  { licenseCode, region, requestsPerMinute }: ImportOptions,
  env: Env,
): Destination | NoDestination {
  const { WEBENGAGE_API_KEY, WEBENGAGE_LICENSE_CODE, WEBENGAGE_REGION, WEBENGAGE_HOST } = env;
  const read = readSettings({
    // Read with the rest, and not used.
    ALLOWED_ORIGINS: '*',
    WEBENGAGE_API_KEY: WEBENGAGE_API_KEY ?? '',
    WEBENGAGE_LICENSE_CODE: licenseCode ?? WEBENGAGE_LICENSE_CODE ?? '',
    WEBENGAGE_REGION: region ?? WEBENGAGE_REGION ?? '',
    WEBENGAGE_HOST: region === undefined ? (WEBENGAGE_HOST ?? '') : '',
  });
  if (!read.ok) return no(REMEDIES[read.message.split(' ')[0] ?? ''] ?? read.message);
  const { upstream, licenseCode: license } = read.settings;
  return {
    ok: true,
    into: `${upstream} for ${license}`,
    needsJournal: true,
    sender: async (ports) => directSender(ports, { upstream: webEngage(read.settings), requestsPerMinute }),
  };
}

/** What to set here, where the relay's own message speaks of its settings. */
const REMEDIES: Readonly<Record<string, string>> = {
  WEBENGAGE_API_KEY: 'the variable WEBENGAGE_API_KEY must hold the API key: printable ASCII without spaces',
  WEBENGAGE_LICENSE_CODE: '--license-code must be set, and hold only letters, digits, ~, _ and -',
  WEBENGAGE_REGION: '--region must be global, in or ksa',
};

const no = (message: string): NoDestination => ({ ok: false, message });

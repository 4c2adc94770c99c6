import { webEngage } from '../../edge/delivery/webengage.ts';
import { readSettings } from '../../edge/settings/settings.ts';
import { directSender } from '../../import/send/direct/direct-sender.ts';
import { relaySender } from '../../import/send/relay/relay-sender.ts';
import type { Sender, SenderPorts } from '../../import/send/sender.ts';
import { tokenFor } from '../relay-token.ts';
import type { ImportOptions } from './options.ts';

/** Where rows go. */
export type Destination = {
  readonly ok: true;
  /** A name for messages. The journal holds it too, because it belongs to one destination. */
  readonly into: string;
  /** What lets the rows in, for messages: by the name of its variable. */
  readonly credential: string;
  /** True if only the journal knows which rows were sent: then it stays after a complete run. */
  readonly needsJournal: boolean;
  readonly sender: (ports: SenderPorts, digest: string) => Promise<Sender>;
};

/** `message` names the option or variable, and the remedy. It never contains a secret. */
type NoDestination = { readonly ok: false; readonly message: string };

type Env = Readonly<Record<string, string | undefined>>;

const REQUEST_TIMEOUT_MS = 30_000;

/** Checks the options and variables that say where rows go. */
export function destinationOf(options: ImportOptions, env: Env): Destination | NoDestination {
  return options.direct ? webEngageOf(options, env) : relayOf(options, env);
}

function relayOf({ relay: endpoint = '', tokenEnv }: ImportOptions, env: Env): Destination | NoDestination {
  const read = tokenFor(endpoint, 'a server token', tokenEnv, env);
  if (!read.ok) return read;
  const target = { endpoint, token: read.token, tokenEnv, timeoutMs: REQUEST_TIMEOUT_MS };
  return {
    ok: true,
    into: endpoint,
    credential: `the token in ${tokenEnv}`,
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
    // Required, but not used here.
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
    credential: 'the API key in WEBENGAGE_API_KEY',
    needsJournal: true,
    sender: async (ports) => directSender(ports, { upstream: webEngage(read.settings), requestsPerMinute }),
  };
}

/** Remedies for this command. The relay's own messages speak of its settings. */
const REMEDIES: Readonly<Record<string, string>> = {
  WEBENGAGE_API_KEY: 'the variable WEBENGAGE_API_KEY must hold the API key: printable ASCII without spaces',
  WEBENGAGE_LICENSE_CODE: '--license-code must be set, and hold only letters, digits, ~, _ and -',
  WEBENGAGE_REGION: '--region must be global, in or ksa',
};

const no = (message: string): NoDestination => ({ ok: false, message });

import { parseArgs } from 'node:util';
import { addressOf } from './address.ts';

export type InitOptions = {
  readonly dir: string;
  readonly license?: string | undefined;
  readonly region?: string | undefined;
  readonly origins?: string | undefined;
  readonly name?: string | undefined;
  readonly domain?: string | undefined;
  /** Nothing is asked but the key: what is not given is at its default. */
  readonly yes: boolean;
  readonly force: boolean;
  readonly secrets: boolean;
  readonly checkKey: boolean;
};

export type DoctorOptions = {
  /** The relay's address, without a slash at its end. */
  readonly url: string;
  readonly origin?: string | undefined;
  readonly adminTokenEnv?: string | undefined;
  readonly json: boolean;
};

export type TypesOptions = {
  /** The tracking plan's file. */
  readonly plan: string;
  /** The file of the types; without it they are said. */
  readonly out?: string | undefined;
  /** What the type of the events is called. */
  readonly name: string;
  /** Nothing is written: are they as the plan says? */
  readonly check: boolean;
};

export type DevOptions = {
  /** Of the relay, the sandbox, and a page to try them: three that differ. */
  readonly port: number;
  readonly sandboxPort: number;
  readonly pagePort: number;
  /** The sites that may send, with commas; undefined: all. */
  readonly origins?: string | undefined;
};

/** What is to be done. */
export type Command =
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'init'; readonly options: InitOptions }
  | { readonly kind: 'dev'; readonly options: DevOptions }
  | { readonly kind: 'doctor'; readonly options: DoctorOptions }
  | { readonly kind: 'types'; readonly options: TypesOptions }
  /** It is none: `message` says what is wrong with it. */
  | { readonly kind: 'misuse'; readonly message: string };

export const HELP = `webengage-relay: reliable event tracking for WebEngage

  webengage-relay dev               run a relay and a WebEngage sandbox on this machine: no account, no key
      --port <port>                 the relay's (default: 8787)
      --sandbox-port <port>         the sandbox's (default: 8788)
      --page-port <port>            the first page's (default: 8789)
      --origins <origins>           the sites that may send, with commas (default: all)
    In a folder made by init, it runs that relay with its settings.

  webengage-relay init [folder]     make your own relay, ready to deploy to Cloudflare
      --license <code>              WebEngage's license code, with its ~
      --region <region>             where the account lives: global (default), in or ksa
      --origins <origins>           the sites that may send, with commas: https://shop.example.com
      --name <name>                 the Worker's name (default: webengage-relay)
      --domain <host>               its host name in a zone of your account, as t.example.com
      --check-key                   try the key first, with one empty call to WebEngage
      --no-secrets                  write the files only
      --yes                         take the defaults, and ask only for the key
      --force                       overwrite existing files
    It asks for the API key, or reads it from WEBENGAGE_API_KEY or from standard input.

  webengage-relay doctor <url>      check a running relay; exits with 1 if something is wrong
      --origin <origin>             check that this site may send
      --admin-token-env <NAME>      the variable that holds the ADMIN_TOKEN: also check backlog and dead letters
      --json                        print the result as JSON

  webengage-relay types [plan]      write TypeScript types for a tracking plan (default: tracking-plan.json)
      --out <file>                  the file to write; without it the types are printed
      --name <name>                 the name of the events' type (default: Events)
      --check                       write nothing; exits with 1 if the file is out of date

  webengage-relay --version
  webengage-relay --help`;

const HELP_FLAG = { help: { type: 'boolean', short: 'h' } } as const;

const MAX_PORT = 65_535;

/** Reads a command line, without the program's own name. */
export function readCommand(args: readonly string[]): Command {
  const [name = '', ...rest] = args;
  try {
    switch (name) {
      case 'dev':
        return readDev(rest);
      case 'init':
        return readInit(rest);
      case 'doctor':
        return readDoctor(rest);
      case 'types':
        return readTypes(rest);
      case 'help':
      case '--help':
      case '-h':
        return { kind: 'help' };
      case '--version':
      case '-v':
        return { kind: 'version' };
      case '':
        return misuse('dev, init, doctor or types?');
      default:
        return misuse(`there is no ${name.startsWith('-') ? 'flag' : 'command'} ${nameOnly(name)}`);
    }
  } catch (error) {
    // What parseArgs throws says in its first line what is wrong; the rest is advice about its own syntax.
    const [line = ''] = error instanceof Error ? error.message.split(/\n|\. /) : [];
    return misuse(line.replace(/^[A-Z]/, (letter) => letter.toLowerCase()));
  }
}

function readDev(args: string[]): Command {
  const { values } = parseArgs({
    args,
    options: {
      ...HELP_FLAG,
      port: { type: 'string', default: '8787' },
      'sandbox-port': { type: 'string', default: '8788' },
      'page-port': { type: 'string', default: '8789' },
      origins: { type: 'string' },
    },
  });
  if (values.help) return { kind: 'help' };
  const { origins, port, 'sandbox-port': sandboxPort, 'page-port': pagePort } = values;
  const ports = [port, sandboxPort, pagePort].map(Number);
  if (!ports.every((each) => Number.isInteger(each) && each >= 1 && each <= MAX_PORT))
    return misuse(`a port must be a whole number from 1 to ${MAX_PORT}`);
  if (new Set(ports).size < ports.length) return misuse('relay, sandbox and page must have a port each');
  const options = {
    port: Number(port),
    sandboxPort: Number(sandboxPort),
    pagePort: Number(pagePort),
    origins,
  };
  return { kind: 'dev', options };
}

function readInit(args: string[]): Command {
  const secret = args.find((arg) => /^--?((web-?engage-?)?(api-?)?key|admin-?token)\b/i.test(arg));
  if (secret !== undefined)
    return misuse(`there is no ${nameOnly(secret)}: a secret in a flag stays in the shell's history`);
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...HELP_FLAG,
      license: { type: 'string' },
      region: { type: 'string' },
      origins: { type: 'string' },
      name: { type: 'string' },
      domain: { type: 'string' },
      yes: { type: 'boolean', short: 'y', default: false },
      force: { type: 'boolean', default: false },
      'check-key': { type: 'boolean', default: false },
      'no-secrets': { type: 'boolean', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  const [dir = '.', ...more] = positionals;
  if (more.length > 0) return misuse('init takes one folder');
  const { license, region, origins, name, domain, yes, force } = values;
  const options = { dir, license, region, origins, name, domain, yes, force };
  return {
    kind: 'init',
    options: { ...options, secrets: !values['no-secrets'], checkKey: values['check-key'] },
  };
}

function readDoctor(args: string[]): Command {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...HELP_FLAG,
      origin: { type: 'string' },
      'admin-token-env': { type: 'string' },
      json: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  const [given, ...more] = positionals;
  if (given === undefined || more.length > 0)
    return misuse("doctor takes the relay's address, as https://t.example.com");
  const url = addressOf(given);
  if (url === undefined)
    return misuse("the relay's address must be an http or https URL, as https://t.example.com");
  const { origin: site, json } = values;
  // The address of any page of it will do.
  const origin = site === undefined ? undefined : siteOf(site);
  if (site !== undefined && origin === undefined)
    return misuse("--origin must be a site's address, as https://shop.example.com");
  return { kind: 'doctor', options: { url, origin, adminTokenEnv: values['admin-token-env'], json } };
}

// A capital first: no word that TypeScript has for itself begins so. Two types are named in what is written.
const TYPE_NAME = /^(?!(Date|Record)$)[A-Z]\w*$/;

function readTypes(args: string[]): Command {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: {
      ...HELP_FLAG,
      out: { type: 'string' },
      name: { type: 'string', default: 'Events' },
      check: { type: 'boolean', default: false },
    },
  });
  if (values.help) return { kind: 'help' };
  const [plan = 'tracking-plan.json', ...more] = positionals;
  if (more.length > 0) return misuse('types takes one tracking plan');
  const { out, name, check } = values;
  if (!TYPE_NAME.test(name)) return misuse('--name must be the name of a type, as ShopEvents');
  if (check && out === undefined) return misuse('--check needs --out, the file that is to be checked');
  return { kind: 'types', options: { plan, out, name, check } };
}

function siteOf(given: string): string | undefined {
  const address = addressOf(given);
  return address === undefined ? undefined : new URL(address).origin;
}

const misuse = (message: string): Command => ({ kind: 'misuse', message });

/** Of `--key=value` the name: the value may be a secret. */
const nameOnly = (flag: string): string => flag.split('=')[0] ?? flag;

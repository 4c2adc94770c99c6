import { text as textOf } from 'node:stream/consumers';
import { confirm, password, select, text } from '@clack/prompts';
import { REGIONS } from '../../edge/settings/upstream.ts';
import type { InitOptions } from './options.ts';
import type { Answers } from './project.ts';
import { answered, isInteractive, NoAnswer, type Terminal } from './terminal.ts';
import { FAULTS, settingFault } from './validate-settings.ts';

const REGION = 'global';
const NAME = 'webengage-relay';

const NO_KEY_REMEDY = 'set it, pipe the key in, or use --no-secrets to set it later';

type Asked = {
  readonly answers: Answers;
  /** Empty where none is needed. */
  readonly key: string;
  readonly checksKey: boolean;
  readonly wantsToken: boolean;
};

/**
 * Takes the answers from the flags, and asks for the rest, each until the relay would take it. Throws `NoAnswer`.
 *
 * @param key where it is set: the key, which is not asked for then
 */
export async function askAll(
  options: InitOptions,
  terminal: Terminal,
  key: string | undefined,
): Promise<Asked> {
  const { yes = false, secrets, checkKey = false } = options;
  const isThere = isInteractive(terminal);
  const answers = isThere && !yes ? await askAnswers(options, terminal) : withDefaults(options);
  const asksMore = isThere && secrets;
  const agrees = async (message: string) => yes || answered(await confirm({ message, ...terminal }));
  return {
    answers,
    key: secrets || checkKey ? validKey(key || (await readKey(terminal)), NO_KEY_REMEDY) : '',
    checksKey:
      checkKey ||
      (asksMore &&
        !yes &&
        (await agrees('Check the key with one empty call to WebEngage, which changes nothing there?'))),
    // Shown once, so only to somebody: a build's log keeps what it is told.
    wantsToken: asksMore && (await agrees('Create an ADMIN_TOKEN for the admin page, /admin/?')),
  };
}

/** What is not given has its default. */
function withDefaults(given: Partial<Answers>): Answers {
  const { license = '', region = REGION, origins = '', domain = '', name = NAME } = given;
  const needed = Object.entries({ license, origins });
  const missing = needed.filter(([, answer]) => answer === '').map(([of]) => `--${of}`);
  if (missing.length > 0)
    throw new NoAnswer(`${missing.join(' and ')} must be given because no questions are asked here`, 2);
  return { license, region, origins, domain, name };
}

/** What is not given is asked for. */
async function askAnswers(given: Partial<Answers>, terminal: Terminal): Promise<Answers> {
  const ask = (of: keyof Answers, message: string, placeholder?: string, initialValue?: string) =>
    askText(terminal, { of, message, placeholder, initialValue });
  const host = 'A host name for the relay in a zone of your account, or nothing for workers.dev';
  // One after the other, in this order.
  return {
    ...(await askAccount(given, terminal)),
    origins:
      given.origins ??
      (await ask('origins', 'The sites that may send, separated by commas', 'https://shop.example.com')),
    domain: given.domain ?? (await ask('domain', host, 't.example.com')),
    name: given.name ?? (await ask('name', "The Worker's name", '', NAME)),
  };
}

type Question = {
  readonly of: keyof Answers;
  readonly message: string;
  readonly placeholder?: string | undefined;
  readonly initialValue?: string | undefined;
};

async function askText(terminal: Terminal, { of, placeholder = '', initialValue = '', message }: Question) {
  const validate = (typed = '') => FAULTS[of](typed.trim());
  return answered(await text({ message, placeholder, initialValue, validate, ...terminal })).trim();
}

/** Asks for the parts of the WebEngage account that are not given. */
export async function askAccount(
  given: Partial<Pick<Answers, 'license' | 'region'>>,
  terminal: Terminal,
): Promise<Pick<Answers, 'license' | 'region'>> {
  const askRegion = async () => {
    const message = 'Where does the WebEngage account live?';
    const options = REGIONS.map((value) => ({ value }));
    return answered(await select({ message, options, initialValue: REGION, ...terminal }));
  };
  const message = "WebEngage's license code, with its ~";
  return {
    license: given.license ?? (await askText(terminal, { of: 'license', message })),
    region: given.region ?? (await askRegion()),
  };
}

/** Reads the key from a hidden prompt, or from a pipe. Empty if there is neither. */
export async function readKey(terminal: Terminal): Promise<string> {
  const { input } = terminal;
  // A terminal for input alone would show what is typed.
  if (!isInteractive(terminal)) return input.isTTY ? '' : textOf(input);
  const message = 'The API key of a WebEngage service account';
  return answered(await password({ message, validate: keyFault, ...terminal }));
}

const keyFault = (key = ''): string | undefined =>
  key.trim() === '' ? 'WEBENGAGE_API_KEY must not be empty' : settingFault({ WEBENGAGE_API_KEY: key.trim() });

/** Checks the key as the relay would. Throws `NoAnswer`, with a remedy. */
export function validKey(key: string, remedy: string): string {
  const fault = keyFault(key);
  if (fault === undefined) return key.trim();
  throw new NoAnswer(`${fault}: ${remedy}`, 2);
}

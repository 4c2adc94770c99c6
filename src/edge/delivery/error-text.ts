// A gateway's page is no use beyond it.
const MAX_READ_CHARACTERS = 16_384;
// A success must be read whole, or its records would be sent again: enough for one that tells of each of 25 of the largest.
const MAX_SUCCESS_CHARACTERS = 2_000_000;
const MAX_WORDS = 500;
const MAX_STATUS = 40;

/** What an answer says in its body. */
export type Said = {
  /** `response.status` of WebEngage's JSON, empty where it has none; undefined where the body is no JSON object. */
  readonly says: string | undefined;
  /** WebEngage's own message, or the text of whatever came instead, in a line. */
  readonly words: string;
};

/** Reads what an answer says. Never rejects, and reads no more than it needs. */
export async function readSaid(response: Response, secrets: readonly (string | undefined)[]): Promise<Said> {
  const most = response.ok ? MAX_SUCCESS_CHARACTERS : MAX_READ_CHARACTERS;
  return saidIn(await beginningOf(response, most), secrets);
}

/** What an answer with this body says, without the secrets, should they come back in it. */
export function saidIn(body: string, secrets: readonly (string | undefined)[]): Said {
  const written = secrets.flatMap((secret) => waysToWrite(secret ?? ''));
  const hide = (shown: string) => written.reduce(without, shown);
  const answer = objectIn(body);
  const { status, message } = Object(answer?.response) as { status?: unknown; message?: unknown };
  const words = typeof message === 'string' ? message : textOf(hide(body.slice(0, MAX_READ_CHARACTERS)));
  return {
    says: answer && (typeof status === 'string' ? hide(status).slice(0, MAX_STATUS) : ''),
    words: hide(words).slice(0, MAX_WORDS),
  };
}

/** As it is, and as JSON, an address or a page would have it. */
function waysToWrite(secret: string): string[] {
  const inPage = secret.replace(/[&<>"']/g, (sign) => `&${ENTITIES[sign]};`);
  return [secret, JSON.stringify(secret).slice(1, -1), encodeURIComponent(secret), inPage];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': 'amp',
  '<': 'lt',
  '>': 'gt',
  '"': 'quot',
  "'": '#39',
};

// A shorter piece of a key gives nothing away.
const MIN_PIECE = 4;

/** The text without a secret, and without the beginning of one where the text breaks off in it. */
function without(text: string, secret: string): string {
  if (secret === '') return text;
  const whole = text.replaceAll(secret, '•••');
  for (let length = secret.length - 1; length >= MIN_PIECE; length--)
    if (whole.endsWith(secret.slice(0, length))) return whole.slice(0, -length);
  return whole;
}

async function beginningOf(response: Response, most: number): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= most) break;
    }
  } catch {
    // It broke off: what has come says what it says.
  }
  return text.slice(0, most);
}

function objectIn(text: string): { readonly response?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // A page of some gateway's.
  }
}

function textOf(page: string): string {
  return page
    .replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

// Beyond this, a gateway's error page has nothing useful.
const MAX_READ_CHARACTERS = 16_384;
// A success must be read completely: JSON that is cut off counts as unknown, and its records are sent again.
// This is enough for an answer with a message about each of 25 records of the largest size.
const MAX_SUCCESS_CHARACTERS = 2_000_000;
const MAX_WORDS = 500;
const MAX_STATUS = 40;

/** What the body of an answer says. */
export type Said = {
  /** `response.status` in WebEngage's JSON, empty if it has none. Undefined if the body is no JSON object. */
  readonly says: string | undefined;
  /** WebEngage's own message, or the text of any other body on one line. At most `MAX_WORDS` characters. */
  readonly words: string;
};

/** Reads what an answer says, and no more of the body than necessary. Never rejects. */
export async function readSaid(response: Response, secrets: readonly (string | undefined)[]): Promise<Said> {
  const most = response.ok ? MAX_SUCCESS_CHARACTERS : MAX_READ_CHARACTERS;
  return saidIn(await beginningOf(response, most), secrets);
}

/** What an answer with this body says, with the secrets masked in case it echoes them. */
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

/** The secret as plain text, in JSON, in a URL and in HTML. */
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

/** Masks a secret in the text. If the text breaks off within one, removes its beginning too. */
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
    // The connection broke: the part that arrived is judged.
  }
  return text.slice(0, most);
}

function objectIn(text: string): { readonly response?: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined;
  } catch {
    return undefined; // For example a gateway's page.
  }
}

function textOf(page: string): string {
  return page
    .replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

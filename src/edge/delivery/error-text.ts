// Enough to tell what is wrong; a gateway's page is no use beyond it.
const MAX_WORDS_BYTES = 4_096;
const MAX_WORDS = 500;

/**
 * What an answer that is no success says, in a line: WebEngage's own message, or the text of whatever came instead.
 * Never rejects, reads no more than it needs, and leaves out the secrets, should they come back.
 */
export async function wordsOf(response: Response, secrets: readonly (string | undefined)[]): Promise<string> {
  // The status of a success has said all: a body that breaks off must not make a delivered batch unknown again.
  if (response.ok) {
    response.body?.cancel().catch(() => undefined);
    return '';
  }
  const written = secrets.flatMap((secret) => waysToWrite(secret ?? ''));
  const hide = (text: string) => written.reduce(without, text);
  return hide(messageIn(hide(await beginningOf(response)))).slice(0, MAX_WORDS);
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

async function beginningOf(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = '';
  try {
    for await (const chunk of response.body ?? []) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length >= MAX_WORDS_BYTES) break;
    }
  } catch {
    // It broke off: what has come says what it says.
  }
  return text.slice(0, MAX_WORDS_BYTES);
}

function messageIn(text: string): string {
  try {
    const { response } = JSON.parse(text) as { response?: { message?: unknown } };
    if (typeof response?.message === 'string') return response.message;
  } catch {
    // A page of some gateway's.
  }
  return text
    .replace(/<(style|script)[\s\S]*?<\/\1>|<[^>]*>/gi, ' ')
    .replace(/\s+/g, ' ')
    .trim();
}

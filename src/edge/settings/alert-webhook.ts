/** A receiver of alerts, and the form of message that it understands. */
export type Webhook =
  | { readonly form: 'json' | 'slack'; readonly url: string }
  | { readonly form: 'pagerduty'; readonly url: string; readonly routingKey: string };

// Each is asked in every run of the watchdog while a message waits for it.
const MAX_WEBHOOKS = 5;

// For development: a receiver on this machine.
const LOOPBACK_HOSTS = ['127.0.0.1', 'localhost', '[::1]'];

// One for each of PagerDuty's service regions.
const PAGERDUTY_HOSTS = ['events.pagerduty.com', 'events.eu.pagerduty.com'];
const ROUTING_KEY = /^[\w-]{32}$/;

/** The addresses in ALERT_WEBHOOK, separated by commas or white space. Undefined if one of them is invalid. */
export function parseWebhooks(text: string): readonly Webhook[] | undefined {
  const webhooks = addressesIn(text).map(webhookOf);
  if (webhooks.length === 0 || webhooks.length > MAX_WEBHOOKS) return undefined;
  return webhooks.every((webhook) => webhook !== undefined) ? webhooks : undefined;
}

/** The rule that a wrong ALERT_WEBHOOK breaks. It gives a wrong address's position in the list, never its text. */
export function webhooksRule(text: string): string {
  const wrong = 1 + addressesIn(text).findIndex((address) => webhookOf(address) === undefined);
  return wrong === 0
    ? `must list 1 to ${MAX_WEBHOOKS} https addresses, separated by commas`
    : `must list https addresses, separated by commas, and entry ${wrong} is not one. An address has no user name or password, and one of PagerDuty ends with # and its routing key of 32 characters`;
}

function addressesIn(text: string): readonly string[] {
  return text.split(/[\s,]+/).filter(Boolean);
}

function webhookOf(address: string): Webhook | undefined {
  // Not `URL.parse`: Node has it only since 22, and `webengage-relay init` checks settings on Node 20 too.
  if (!URL.canParse(address)) return undefined;
  const { protocol, hostname, username, password, href, hash } = new URL(address);
  const isSafe = protocol === 'https:' || (protocol === 'http:' && LOOPBACK_HOSTS.includes(hostname));
  // `fetch` throws for an address with a user name.
  if (!isSafe || username !== '' || password !== '') return undefined;
  // A fragment never leaves with a request.
  const url = href.slice(0, href.length - hash.length);
  if (!PAGERDUTY_HOSTS.includes(hostname))
    return { form: hostname === 'hooks.slack.com' ? 'slack' : 'json', url };
  const routingKey = hash.slice(1);
  return ROUTING_KEY.test(routingKey) ? { form: 'pagerduty', url, routingKey } : undefined;
}

/** Every alert, in the order in which an operator should read them. */
export const ALERT_NAMES = [
  'broken',
  'suspended',
  'stale',
  'full',
  'silent',
  'late',
  'filling',
  'dead_letters',
  'tokens_refused',
  'doubles_possible',
] as const;

export type AlertName = (typeof ALERT_NAMES)[number];

/** Figures of an alert, such as a status or a number of calls: never a person's data, and no setting's value. */
export type Figures = Readonly<Record<string, number>>;

/** What the operator reads about an alert. */
type Description = {
  /** `critical` needs a human now. `warning` can wait until the morning. */
  readonly severity: 'critical' | 'warning';
  readonly title: string;
  readonly what: (figures: Figures) => string;
  readonly why: string;
  readonly remedy: (figures: Figures) => string;
};

/** One message about an alert: that it begins, or that it has ended. It keeps its id through every repetition. */
export type Notice = {
  readonly id: string;
  readonly alert: AlertName | 'test';
  readonly state: 'begins' | 'ends';
  /** When the alert began, in milliseconds since 1970. */
  readonly since: number;
  /** When this message was made. */
  readonly at: number;
  readonly figures: Figures;
};

const DESCRIPTIONS: Readonly<Record<Notice['alert'], Description>> = {
  broken: {
    severity: 'critical',
    title: 'The relay is broken',
    what: ({ bindings = 0 }) =>
      bindings > 0
        ? 'The binding OUTBOX is missing or leads to another class, so the relay stores and sends nothing. Browsers keep their records.'
        : 'The relay answers 503 to every request. Browsers keep their records.',
    why: 'A setting or a binding is missing or invalid.',
    // No message can be about RATE_GATE, because that object keeps the alerts.
    remedy: ({ bindings = 0 }) =>
      bindings > 0
        ? 'Bind OUTBOX under durable_objects in wrangler.jsonc to the class Outbox, and deploy. Or roll back.'
        : 'Open /health: it names the setting and its rule. Correct it, and deploy.',
  },
  suspended: {
    severity: 'critical',
    title: 'Deliveries are suspended',
    what: ({ status = 0 }) => `WebEngage answers ${status} to every call. The relay keeps all records.`,
    why: 'The key, the license code or the region is not the one that WebEngage knows.',
    remedy: ({ status = 0 }) => suspendedRemedy(status),
  },
  stale: {
    severity: 'critical',
    title: 'WebEngage accepts nothing',
    what: ({ seconds = 0 }) =>
      `Records are waiting, and WebEngage has accepted none of their kind for ${seconds} seconds.`,
    why: 'WebEngage is down or unreachable, answers 429, or refuses one of the two calls. Or the relay makes no calls.',
    remedy: () =>
      'Look at the answers on /admin/. If they are 5xx or missing, wait, and check the status page of WebEngage. If 429, find the other program that uses the account. If there are no calls, look for relay_pass_failed in the log.',
  },
  full: {
    severity: 'critical',
    title: 'An outbox is full',
    what: ({ outboxes = 0 }) =>
      `${counted(outboxes, 'outbox', 'outboxes')} answered 503 to new records. Browsers keep them for 7 days.`,
    why: 'Records do not leave as fast as they arrive, dead letters take up the room, or it is on hold for a restore.',
    remedy: () =>
      'If gate.onHold of /admin/status names it, resume it or undo the restore. Else find out why the backlog does not drain. Replay or discard dead letters at /admin/. Then raise MAX_BACKLOG.',
  },
  silent: {
    severity: 'critical',
    title: 'An outbox does not answer',
    what: ({ outboxes = 0 }) => `${counted(outboxes, 'outbox', 'outboxes')} failed to answer twice in a row.`,
    why: 'The outbox is overloaded, or Cloudflare can’t reach it.',
    remedy: () =>
      'Look for watch_failed in the log, and at the status page of Cloudflare. If the outbox is overloaded, raise OUTBOX_SHARDS.',
  },
  late: {
    severity: 'warning',
    title: 'Records are late',
    what: ({ seconds = 0 }) => `The oldest record has waited for ${seconds} seconds.`,
    why: 'More records arrive than the account may send, or WebEngage is slow.',
    remedy: () =>
      'Look at the backlog and the calls on /admin/. At the limit, wait for the peak to pass, or ask WebEngage for a higher one. Below it, look at the answers.',
  },
  filling: {
    severity: 'warning',
    title: 'An outbox is filling up',
    what: ({ percent = 0 }) => `The fullest outbox has used ${percent} % of its room.`,
    why: 'Records do not leave as fast as they arrive, or dead letters take up the room.',
    remedy: () =>
      'Find out why the backlog does not drain. Replay or discard dead letters at /admin/. Raise MAX_BACKLOG before it is full.',
  },
  dead_letters: {
    severity: 'warning',
    title: 'There are new dead letters',
    what: ({ records = 0 }) =>
      `WebEngage refused ${counted(records, 'single record', 'single records')} within five minutes.`,
    why: 'A page or a server sends something that WebEngage does not accept. All other records go on.',
    remedy: () =>
      'Read the reasons at /admin/. Correct the page or server, then replay or discard the dead letters.',
  },
  tokens_refused: {
    severity: 'warning',
    title: 'Tokens are refused',
    what: ({ batches = 0 }) =>
      `The relay refused ${counted(batches, 'batch', 'batches')} for their tokens within five minutes. Browsers keep them, and servers have to.`,
    why: 'The key that signs tokens is not the one in IDENTITY_KEY, tokens expire, a server has a wrong token, or somebody tries to write as another user.',
    remedy: () =>
      'Look for tokens_refused in the log: it has the reasons. Correct IDENTITY_KEY or the server that signs, and for server_token the token of a server.',
  },
  doubles_possible: {
    severity: 'warning',
    title: 'Doubles are possible',
    what: ({ calls = 0 }) =>
      `${counted(calls, 'call', 'calls')} to WebEngage had no known outcome within five minutes. Each is sent again under its own request id.`,
    why: 'WebEngage answered 5xx or not at all, or an outbox was restarted during its calls.',
    remedy: () =>
      'Do nothing now: the relay sends the same batches again. Afterwards compare counts at WebEngage for the time of this alert.',
  },
  test: {
    severity: 'warning',
    title: 'A test of the alerts',
    what: () => 'Somebody with the ADMIN_TOKEN asked for this message. Nothing is wrong.',
    why: 'A test shows that alerts arrive, both when one begins and when it ends.',
    remedy: () => 'Do nothing.',
  },
};

function suspendedRemedy(status: number): string {
  switch (status) {
    case 401:
    case 403:
      return 'Set a key that WebEngage accepts: npx wrangler secret put WEBENGAGE_API_KEY.';
    case 400:
      return 'Every call is refused: check WEBENGAGE_LICENSE_CODE, and deploy.';
    default:
      return 'Check WEBENGAGE_REGION and WEBENGAGE_LICENSE_CODE, and deploy.';
  }
}

const counted = (amount: number, one: string, many: string) => `${amount} ${amount === 1 ? one : many}`;

/** The document with a section about each alert and each state of the relay. */
export const RUNBOOKS = 'https://github.com/TO-BE-SET/webengage-relay/blob/main/docs/guides/runbooks.md';

/** An alert as a person reads it. */
export type AlertText = {
  readonly severity: Description['severity'];
  readonly title: string;
  readonly what: string;
  readonly why: string;
  readonly remedy: string;
  readonly link: string;
};

/** A notice in words. After the end, `what` says how long the alert lasted. */
export function inWords({ alert, state, since, at, figures }: Omit<Notice, 'id'>): AlertText {
  const { severity, title, what, why, remedy } = DESCRIPTIONS[alert];
  const isOver = state === 'ends';
  return {
    severity,
    title: isOver ? `Over: ${title}` : title,
    what: isOver ? `It lasted ${Math.round((at - since) / 60_000)} minutes.` : what(figures),
    why,
    remedy: isOver ? 'Do nothing.' : remedy(figures),
    link: `${RUNBOOKS}#${alert}`,
  };
}

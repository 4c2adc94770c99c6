import { dateForm } from './dates.ts';

// WebEngage's limits that hurt in silence, written down here a second time, from its documentation and from nothing of
// ours: an error in the contract the product checks by would show as a difference.
// https://docs.webengage.com/docs/rest-api-tracking-users
// https://docs.webengage.com/docs/rest-api-tracking-events

/** What is gone without a word, and by which rule. */
export type DroppedIssue = { readonly path: string; readonly message: string };

type Kind = 'string' | 'boolean' | 'object';

const USER: Readonly<Record<string, Kind>> = {
  userId: 'string',
  anonymousId: 'string',
  firstName: 'string',
  lastName: 'string',
  birthDate: 'string',
  gender: 'string',
  email: 'string',
  phone: 'string',
  company: 'string',
  emailOptIn: 'boolean',
  smsOptIn: 'boolean',
  whatsappOptIn: 'boolean',
  rcsOptIn: 'boolean',
  hashedEmail: 'string',
  hashedPhone: 'string',
  attributes: 'object',
};

const EVENT: Readonly<Record<string, Kind>> = {
  userId: 'string',
  anonymousId: 'string',
  eventName: 'string',
  eventTime: 'string',
  eventData: 'object',
};

// Numbers in these are taken or refused as a whole record: they come here only where a switch has let them.
const NUMBER_BY_SWITCH = ['userId', 'eventTime', 'birthDate'];

const GENDERS = ['male', 'female', 'other'];
const E164 = /^\+[1-9]\d{1,14}$/;

// "Less than 50 characters", "less than 1,000 characters".
const NAME_ENDS_BEFORE = 50;
const STRING_ENDS_BEFORE = 1_000;

const PER_TYPE = 25;
const USER_NESTED_BYTES = 16 * 1024;

const SYSTEM_EVENTS = ['user_logged_in', 'app_installed', 'notification_click'];
const SYSTEM_PREFIXES = ['email_', 'sms_'];

/**
 * What WebEngage says "queued" to and then does not show, of a record that it has taken.
 * Says nothing of what has a switch of its own: nulls, numbers as ids, dates near the documented form.
 */
export function droppedOf(whose: 'user' | 'event', record: object): readonly DroppedIssue[] {
  const isUser = whose === 'user';
  const custom = isUser ? 'attributes' : 'eventData';
  const issues = fieldIssues(isUser ? USER : EVENT, record);
  if (!isUser) issues.push(...eventNameIssues(Reflect.get(record, 'eventName')));
  const attributes: unknown = Reflect.get(record, custom);
  return isPlain(attributes) ? [...issues, ...attributeIssues(custom, attributes, isUser)] : issues;
}

function fieldIssues(fields: Readonly<Record<string, Kind>>, record: object): DroppedIssue[] {
  const issues: DroppedIssue[] = [];
  for (const [field, value] of Object.entries(record)) {
    const report = (message: string) => issues.push({ path: field, message });
    const kind = Object.hasOwn(fields, field) ? fields[field] : undefined;
    if (kind === undefined) report('is not a field of WebEngage');
    else if (value === null || (NUMBER_BY_SWITCH.includes(field) && typeof value === 'number')) continue;
    else if (kind === 'object' ? !isPlain(value) : typeof value !== kind) report(`is not of type ${kind}`);
    else if (field === 'gender' && !GENDERS.includes(String(value))) report('is not male, female or other');
    else if (field === 'phone' && !E164.test(String(value))) report('is not E.164');
    else if (typeof value === 'string' && value.length >= STRING_ENDS_BEFORE) report('is too long a string');
  }
  return issues;
}

function eventNameIssues(name: unknown): DroppedIssue[] {
  if (typeof name !== 'string') return [];
  const isSystem = SYSTEM_EVENTS.includes(name) || SYSTEM_PREFIXES.some((prefix) => name.startsWith(prefix));
  return [...(isSystem ? ['is a system event'] : []), ...nameIssues(name)].map((message) => ({
    path: 'eventName',
    message,
  }));
}

function nameIssues(name: string): string[] {
  const issues: string[] = [];
  if (name.startsWith('we_')) issues.push('has a reserved name');
  if (name.length >= NAME_ENDS_BEFORE) issues.push('has too long a name');
  return issues;
}

function attributeIssues(
  custom: string,
  attributes: Readonly<Record<string, unknown>>,
  isUser: boolean,
): DroppedIssue[] {
  const issues: DroppedIssue[] = [];
  const seen = new Map<string, number>();
  let nestedBytes = 0;
  for (const [name, value] of Object.entries(attributes)) {
    const report = (message: string) => issues.push({ path: `${custom}.${name}`, message });
    nameIssues(name).forEach(report);
    if (value === null) continue;
    if (holdsLongString(value)) report('is too long a string');

    const type = typeOf(value);
    seen.set(type, (seen.get(type) ?? 0) + 1);
    if ((seen.get(type) ?? 0) > PER_TYPE) report(`is one of more than ${PER_TYPE} of type ${type}`);
    if (typeof value !== 'object') continue;
    nestedBytes += new TextEncoder().encode(JSON.stringify(value)).length;
    if (isUser && nestedBytes > USER_NESTED_BYTES) report('is beyond 16 KB of arrays and objects');
  }
  return issues;
}

/** The data type that WebEngage files a value of JSON under. */
function typeOf(value: unknown): 'String' | 'Number' | 'Boolean' | 'Date' | 'Array' | 'Object' {
  if (typeof value === 'string') return dateForm(value) === 'documented' ? 'Date' : 'String';
  if (typeof value === 'number') return 'Number';
  if (typeof value === 'boolean') return 'Boolean';
  return Array.isArray(value) ? 'Array' : 'Object';
}

function holdsLongString(value: unknown): boolean {
  if (typeof value === 'string') return value.length >= STRING_ENDS_BEFORE;
  return typeof value === 'object' && value !== null && Object.values(value).some(holdsLongString);
}

function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

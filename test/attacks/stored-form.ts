// The contract of WebEngage, written a second time and from its documents alone, so that the relay's own rules are not
// what they are held against. https://docs.webengage.com/docs/rest-api-bulk-tracking-events

type Fields = Readonly<
  Record<string, 'id' | 'text' | 'name' | 'date' | 'gender' | 'phone' | 'flag' | 'attributes'>
>;

const FIELDS: Readonly<Record<string, Fields>> = {
  user: {
    userId: 'id',
    anonymousId: 'id',
    firstName: 'text',
    lastName: 'text',
    birthDate: 'date',
    gender: 'gender',
    email: 'text',
    phone: 'phone',
    company: 'text',
    emailOptIn: 'flag',
    smsOptIn: 'flag',
    whatsappOptIn: 'flag',
    rcsOptIn: 'flag',
    hashedEmail: 'text',
    hashedPhone: 'text',
    attributes: 'attributes',
  },
  event: { userId: 'id', anonymousId: 'id', eventName: 'name', eventTime: 'date', eventData: 'attributes' },
};

type Stored = Readonly<Record<string, unknown>>;

/** What is wrong with a record that an outbox has stored, as WebEngage would see it; nothing where nothing is. */
export function faultsOf(kind: string, { id, ...record }: Stored): string[] {
  const fields = FIELDS[kind] ?? {};
  const faults = Object.entries(record).flatMap(([name, value]) => {
    const form = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (form === undefined) return [`unknown field ${name}`];
    return hasForm(form, value) ? [] : [`${name} is no ${form}`];
  });
  if (typeof id !== 'string' || id.length > 38 || !id.includes('.')) faults.push('no id');
  if (record.userId === undefined && record.anonymousId === undefined) faults.push('nobody’s');
  if (kind === 'event' && record.eventName === undefined) faults.push('no event name');
  // WebEngage would take the time of the call for it.
  if (kind === 'event' && record.eventTime === undefined) faults.push('no event time');
  if (!isWritable(record)) faults.push('cannot be written as UTF-8');
  return faults;
}

function hasForm(form: Fields[string], value: unknown): boolean {
  switch (form) {
    case 'id':
      return typeof value === 'string' && value.length > 0 && value.length <= 100;
    case 'text':
      return typeof value === 'string' && value.length < 1_000;
    case 'name':
      return typeof value === 'string' && isName(value);
    case 'date':
      return typeof value === 'string' && isDate(value);
    case 'gender':
      return value === 'male' || value === 'female' || value === 'other';
    case 'phone':
      return typeof value === 'string' && /^[+][0-9]{2,15}$/.test(value);
    case 'flag':
      return value === true || value === false;
    case 'attributes':
      return areAttributes(value);
  }
}

const isName = (name: string) => name.length > 0 && name.length < 50 && !name.startsWith('we_');

function areAttributes(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const values = Object.entries(value);
  const sorts = Map.groupBy(values, ([, each]) => sortOf(each));
  return (
    values.every(([name, each]) => isName(name) && isValue(each)) &&
    [...sorts.values()].every((ofOneSort) => ofOneSort.length <= 25)
  );
}

function sortOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  return typeof value === 'string' && isDate(value) ? 'date' : typeof value;
}

function isValue(value: unknown): boolean {
  if (typeof value === 'string') return value.length < 1_000;
  if (typeof value === 'number') return value - value === 0;
  if (typeof value === 'boolean') return true;
  return typeof value === 'object' && value !== null && Object.values(value).every(isValue);
}

const DAYS = [31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function isDate(text: string): boolean {
  const parts =
    /^([0-9]{4})-([0-9]{2})-([0-9]{2})T([0-9]{2}):([0-9]{2}):([0-9]{2})[+-]([0-9]{2})([0-9]{2})$/.exec(text);
  if (parts === null) return false;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0, east = 0, past = 0] = parts
    .slice(1)
    .map(Number);
  const isLeap = year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  const days = month === 2 && !isLeap ? 28 : (DAYS[month - 1] ?? 0);
  return day >= 1 && day <= days && hour < 24 && minute < 60 && second < 60 && east <= 18 && past < 60;
}

// Half of a pair of surrogates is in JSON, and in no UTF-8.
const isWritable = (value: unknown) => !/\\ud[89a-f]/i.test(JSON.stringify(value));

import {
  type GenericSchema,
  getDotPath,
  type InferOutput,
  integer,
  literal,
  maxValue,
  minValue,
  null_,
  number,
  picklist,
  pipe,
  safeParse,
  strictObject,
  string,
  union,
} from 'valibot';

/** Of the file's form. A reader refuses any other. */
export const PROFILE_VERSION = 1;

const END = picklist(['refused', 'dropped', 'accepted']);
const MAX_BYTES = 1_000_000_000;
const BYTES = pipe(number(), integer(), minValue(0), maxValue(MAX_BYTES));

const answers = strictObject({
  success: answer(picklist([200, 201])),
  limit: answer(picklist(['shared', 'separate'])),
  requestsPerMinute: answer(pipe(number(), integer(), minValue(0), maxValue(1_000_000))),
  rateHeaders: answer(picklist(['sent', 'absent'])),
  empty: answer(picklist(['refused', 'accepted'])),
  invalid: answer(picklist(['fails_call', 'drops_record'])),
  idempotency: answer(picklist(['honoured', 'ignored'])),
  reusedRequestId: answer(picklist(['refused', 'accepted'])),
  tooMany: answer(picklist(['refused', 'cut', 'accepted'])),
  dateZ: answer(END),
  dateColon: answer(END),
  dateMilliseconds: answer(END),
  dateEpoch: answer(END),
  nulls: answer(END),
  rcsOptIn: answer(picklist(['accepted', 'ignored', 'refused'])),
  largestBody: answer(strictObject({ acceptedBytes: BYTES, refusedBytes: union([BYTES, null_()]) })),
  portability: answer(picklist(['profile', 'profile_and_events', 'receipt', 'refused'])),
});

const profile = strictObject({
  version: literal(PROFILE_VERSION),
  /** When it was probed, ISO 8601. */
  probedAt: string(),
  answers,
});

/** What an account has answered. It holds neither the key nor the license code. */
export type Profile = InferOutput<typeof profile>;

export type Answers = Profile['answers'];

export type Answer<Name extends keyof Answers> = Answers[Name];

/** The names of all answers, in the order in which they are shown. */
export const ANSWERS = Object.keys(answers.entries) as readonly (keyof Answers)[];

/** A switch may be known, or it is not: then nothing is guessed. `evidence` says in words what was seen. */
function answer<Schema extends GenericSchema>(value: Schema) {
  return strictObject({ value: union([value, literal('unknown')]), evidence: string() });
}

export type ReadProfile =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly message: string };

/** Reads the text of a profile's file. */
export function parseProfile(text: string): ReadProfile {
  const fail = (message: string): ReadProfile => ({
    ok: false,
    message: `${message}: write it again with webengage-relay probe`,
  });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return fail('is not JSON');
  }
  // valibot takes a list for an object.
  if (Array.isArray(json)) return fail('the profile must be an object');
  const { success, output, issues } = safeParse(profile, json);
  if (success) return { ok: true, profile: output };
  const [{ expected, received }] = issues;
  const field = getDotPath(issues[0]) ?? 'the profile';
  // valibot says `never` of a field that should not be there.
  if (expected === 'never') return fail(`${field} is not a field of a profile`);
  if (received === 'undefined') return fail(`${field} is missing`);
  return fail(`${field} must be ${expected}, not ${received}`);
}

/** An order to the sandbox, as its `POST /control` takes it. */
export type SandboxOrder = Readonly<Record<string, unknown>>;

/** What makes the sandbox behave as the account did. What is unknown stays at the sandbox's default. */
export function sandboxOrder({ answers }: Pick<Profile, 'answers'>): SandboxOrder {
  const known = <Name extends keyof Answers>(name: Name) => {
    const { value } = answers[name];
    return value === 'unknown' ? undefined : (value as Exclude<Answers[Name]['value'], 'unknown'>);
  };
  const largest = known('largestBody');
  const order = {
    success: known('success'),
    limit: known('limit'),
    requestsPerMinute: known('requestsPerMinute'),
    rateHeaders: known('rateHeaders'),
    empty: known('empty'),
    invalid: known('invalid'),
    idempotency: known('idempotency'),
    // An accepted call tells nothing of its records: the sandbox then takes it for a double where ids are honoured.
    reusedRequestId: known('reusedRequestId') === 'accepted' ? 'swallowed' : known('reusedRequestId'),
    tooMany: known('tooMany'),
    dateForms: {
      z: known('dateZ'),
      colon: known('dateColon'),
      milliseconds: known('dateMilliseconds'),
      epoch: known('dateEpoch'),
    },
    nulls: known('nulls'),
    rcsOptIn: known('rcsOptIn'),
    maxBodyBytes: largest?.refusedBytes == null ? undefined : largest.acceptedBytes,
    portability: known('portability'),
  };
  // By way of JSON: what is undefined is left out.
  return JSON.parse(JSON.stringify(order));
}

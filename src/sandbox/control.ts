import {
  array,
  boolean,
  check,
  getDotPath,
  type InferInput,
  type InferOutput,
  integer,
  maxValue,
  minLength,
  minValue,
  null_,
  number,
  optional,
  parse,
  picklist,
  pipe,
  safeParse,
  strictObject,
  string,
  union,
} from 'valibot';
import { sdkSwitches } from './sdk/sdk-switches.ts';

const RULE_OF_FAULT = 'must be down, 429, slow, cut, cut_before, page, none or a status from 300 to 599';

const fault = union(
  [
    picklist(['none', 'down', '429', 'slow', 'cut', 'cut_before', 'page'], RULE_OF_FAULT),
    pipe(
      number(RULE_OF_FAULT),
      integer(RULE_OF_FAULT),
      minValue(300, RULE_OF_FAULT),
      maxValue(599, RULE_OF_FAULT),
    ),
  ],
  RULE_OF_FAULT,
);

const faultAt = oneOf(['before', 'after']);

// What may become of a record. `dropped`: it is dropped silently.
const ENDS = ['refused', 'dropped', 'accepted'] as const;

// Sums of chances as people write them, 0.1 + 0.2 + 0.7, come out a little over 1.
const ROUNDING = 1e-9;
const RULE_OF_CHANCE = 'must be a number from 0 to 1';
const chance = pipe(number(RULE_OF_CHANCE), minValue(0, RULE_OF_CHANCE), maxValue(1, RULE_OF_CHANCE));

const controlSchema = strictObject(
  {
    /**
     * `down`: 503, unread. `429`: over the limit. `slow`: takes the records, answers after `delayMs`.
     * `cut`: takes the records, and breaks its answer off. `cut_before`: the same, with nothing taken.
     * `page`: a gateway's HTML page, with `pageStatus`. A number: that status, with `location` for a 3xx.
     */
    fault: optional(fault, 'none'),
    /** Where a status or a page comes from: from before the records were taken, or from after it. */
    faultAt: optional(faultAt, 'before'),
    /** Random faults, while `fault` is `none`: each call draws once. Chances add up to at most 1; other calls have no fault. */
    faults: optional(
      pipe(
        array(
          strictObject({ fault, faultAt: optional(faultAt, 'before'), chance }, messageOfKeys),
          'must be a list, as [{"fault":500,"chance":0.03}]',
        ),
        check(
          (faults) => faults.reduce((sum, { chance }) => sum + chance, 0) <= 1 + ROUNDING,
          'must have chances that add up to at most 1',
        ),
      ),
      [],
    ),
    /** Makes the draws repeatable: each order with it begins the same sequence. Without it they are of real chance. */
    seed: optional(whole(0, 2 ** 32 - 1)),
    delayMs: optional(whole(0, 60_000), 3_000),
    pageStatus: optional(whole(200, 599), 502),
    /** Where a 3xx points to. */
    location: optional(text(), 'https://elsewhere.example/'),

    /** The status of a success, which may be either. */
    success: optional(oneOf([200, 201]), 200),

    /** Whether a record that breaks a rule fails the whole call, or is dropped silently. */
    invalid: optional(oneOf(['fails_call', 'drops_record']), 'fails_call'),
    /**
     * A rule of its own by which records are invalid: those with `value` in `field`; without `value`, those that have
     * the field. `field` may lead inward: `eventData.poison`. `status`: what the call is refused with.
     */
    refuse: optional(
      strictObject(
        {
          field: text(),
          value: optional(
            union(
              [string(), number(), boolean(), null_()],
              'must be a string, a number, true, false or null',
            ),
          ),
          status: optional(oneOf([400, 413, 422]), 400),
        },
        messageOfKeys,
      ),
    ),
    /** Dates near the documented form: `Z`, `±hh:mm`, milliseconds, epoch numbers. */
    otherDates: optional(oneOf(ENDS), 'refused'),
    /** The same for one form alone, in place of `otherDates`. A date of two forms gets the stricter answer. */
    dateForms: optional(
      strictObject(
        {
          z: optional(oneOf(ENDS)),
          colon: optional(oneOf(ENDS)),
          milliseconds: optional(oneOf(ENDS)),
          epoch: optional(oneOf(ENDS)),
        },
        messageOfKeys,
      ),
    ),
    /** A null, anywhere in a record. */
    nulls: optional(oneOf(ENDS), 'refused'),
    numericUserId: optional(oneOf(['refused', 'accepted']), 'refused'),
    /** A field of single users that the bulk page does not list. `ignored`: the record is taken without it. */
    rcsOptIn: optional(oneOf(['accepted', 'ignored', 'refused']), 'accepted'),

    /** A call with more than 25 records. `cut`: the first 25 are taken, and the rest dropped silently. */
    tooMany: optional(oneOf(['refused', 'cut', 'accepted']), 'refused'),
    /** A call without a record. */
    empty: optional(oneOf(['refused', 'accepted']), 'refused'),

    /** The keys that are taken, in place of WEBENGAGE_API_KEY: to rotate it while a relay runs. Empty: none is. */
    acceptKeys: optional(array(text(), 'must be a list of keys')),
    wrongKey: optional(oneOf([401, 403]), 401),
    /** The license code that is taken, in place of WEBENGAGE_LICENSE_CODE. */
    license: optional(text()),
    wrongLicense: optional(oneOf([404, 400]), 404),

    /** Whether a call whose `x-request-id` was seen within 4 hours is taken for a double. */
    idempotency: optional(oneOf(['honoured', 'ignored']), 'honoured'),
    /**
     * What becomes of an `x-request-id` that comes again with other records. `refused`: 400, since nobody may send
     * that. `swallowed`: as the real one would, it is taken for a double, and the records are lost.
     */
    reusedRequestId: optional(oneOf(['refused', 'swallowed']), 'refused'),

    /** The largest body that is taken: 413 to any larger one. WebEngage documents no limit. */
    maxBodyBytes: optional(whole(0, 1_000_000_000)),

    /** In place of REQUESTS_PER_MINUTE. */
    requestsPerMinute: optional(whole(0, 1_000_000)),
    /** Calls that others of the account have made in any minute: they count against the limit. */
    usedByOthers: optional(whole(0, 1_000_000), 0),
    /** Whether the two calls share one limit, or have one each. */
    limit: optional(oneOf(['shared', 'separate']), 'shared'),
    /** `sliding`: any 60 seconds. `fixed`: from each full minute to the next. */
    minute: optional(oneOf(['sliding', 'fixed']), 'sliding'),
    /** `X-RateLimit-Limit` and `X-RateLimit-Remaining`. */
    rateHeaders: optional(oneOf(['sent', 'absent']), 'sent'),
    /** `Retry-After` with a 429, of `retryAfterSeconds`. */
    retryAfter: optional(oneOf(['none', 'seconds', 'date', 'garbage']), 'none'),
    retryAfterSeconds: optional(whole(0, 86_400), 5),

    /**
     * The privacy API's answer to `portability`. `profile`: the user's fields and attributes; `profile_and_events`: their
     * events too. `receipt`: that the request was received, and no data. `refused`: 403.
     */
    portability: optional(oneOf(['profile', 'profile_and_events', 'receipt', 'refused']), 'profile'),
    ...sdkSwitches,
  },
  messageOfKeys,
);

/** An order to the sandbox. A setting that is left out gets its default. */
export type ControlOrder = InferInput<typeof controlSchema>;

/** How the sandbox behaves. */
export type Control = InferOutput<typeof controlSchema>;

export type Fault = Control['fault'];

export type ParsedControl =
  | { readonly ok: true; readonly control: Control }
  | { readonly ok: false; readonly message: string };

/** Fills in the defaults of an order. Throws if the order is invalid: `parseControl` checks one from outside. */
export function controlOf(order: ControlOrder): Control {
  return parse(controlSchema, order);
}

export function parseControl(text: string): ParsedControl {
  let order: unknown;
  try {
    order = JSON.parse(text);
  } catch {
    return { ok: false, message: 'the body must be JSON, as {"fault":"down"}' };
  }
  // valibot takes a list for an object.
  if (Array.isArray(order)) return { ok: false, message: 'the body must be an object' };
  const { success, output, issues } = safeParse(controlSchema, order);
  if (success) return { ok: true, control: output };
  const [issue] = issues;
  return { ok: false, message: `${getDotPath(issue) ?? 'the body'} ${issue.message}` };
}

function oneOf<const Options extends readonly (string | number)[]>(options: Options) {
  return picklist(options, ({ received }) => `must be ${options.join(' or ')}, not ${received}`);
}

function whole(least: number, most: number) {
  const rule = ({ received }: { readonly received: string }) =>
    `must be a whole number from ${least} to ${most}, not ${received}`;
  return pipe(number(rule), integer(rule), minValue(least, rule), maxValue(most, rule));
}

function text() {
  return pipe(string('must be a string'), minLength(1, 'must not be empty'));
}

function messageOfKeys({ expected }: { readonly expected: string | null }): string {
  if (expected === 'never') return 'is not a setting of the sandbox';
  return expected === 'Object' ? 'must be an object' : 'is required';
}

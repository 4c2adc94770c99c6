import {
  type GenericSchema,
  type InferOutput,
  integer,
  literal,
  maxValue,
  minValue,
  null_,
  number,
  picklist,
  pipe,
  strictObject,
  string,
  union,
} from 'valibot';

const END = picklist(['refused', 'dropped', 'accepted']);
const MAX_BYTES = 1_000_000_000;
const BYTES = pipe(number(), integer(), minValue(0), maxValue(MAX_BYTES));

/** The schema of `Answers`. */
export const answersSchema = strictObject({
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

/** What an account has answered. */
export type Answers = InferOutput<typeof answersSchema>;

export type Answer<Name extends keyof Answers> = Answers[Name];

/** The names of all answers, in the order in which they are shown. */
export const ANSWERS = Object.keys(answersSchema.entries) as readonly (keyof Answers)[];

/** A value, or `unknown`, so that nothing is guessed. `evidence` says in words what was seen. */
function answer<Schema extends GenericSchema>(value: Schema) {
  return strictObject({ value: union([value, literal('unknown')]), evidence: string() });
}

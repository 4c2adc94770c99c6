import {
  type InferOutput,
  literal,
  maxLength,
  minLength,
  object,
  optional,
  pipe,
  record,
  safeParse,
  string,
  unknown,
  variant,
} from 'valibot';

const id = pipe(string(), minLength(1), maxLength(100));

const sdkCallSchema = variant('call', [
  object({ call: literal('login'), luid: id, userId: id }),
  object({
    call: literal('track'),
    luid: id,
    userId: optional(id),
    eventName: id,
    eventData: optional(record(string(), unknown())),
  }),
]);

/** What the simulated SDK tells its account. The real one has a transport of its own. */
export type SdkCall = InferOutput<typeof sdkCallSchema>;

/** Undefined for anything else. */
export function parseSdkCall(text: string): SdkCall | undefined {
  try {
    const { success, output } = safeParse(sdkCallSchema, JSON.parse(text));
    return success ? output : undefined;
  } catch {
    return undefined;
  }
}

import {
  type InferOutput,
  integer,
  maxValue,
  minValue,
  number,
  optional,
  picklist,
  pipe,
  safeParse,
  strictObject,
} from 'valibot';

const controlSchema = strictObject({
  /**
   * `down`: 503, unread. `429`: over the limit. `slow`: answers after `delayMs`.
   * `cut`: takes the records, and breaks its answer off.
   */
  fault: optional(picklist(['none', 'down', '429', 'slow', 'cut']), 'none'),
  delayMs: optional(pipe(number(), integer(), minValue(0), maxValue(60_000)), 3_000),
  /** What a success is answered with: nobody knows which it is. */
  success: optional(picklist([200, 201]), 200),
  /** Whether a call whose `x-request-id` was seen within 4 hours is taken for a double. */
  idempotency: optional(picklist(['honoured', 'ignored']), 'honoured'),
});

/** How the sandbox behaves. What is left out is as it should be: no fault. */
export type Control = InferOutput<typeof controlSchema>;

export const NO_FAULT: Control = { fault: 'none', delayMs: 3_000, success: 200, idempotency: 'honoured' };

export type ParsedControl =
  | { readonly ok: true; readonly control: Control }
  | { readonly ok: false; readonly message: string };

export function parseControl(text: string): ParsedControl {
  try {
    const { success, output, issues } = safeParse(controlSchema, JSON.parse(text));
    return success ? { ok: true, control: output } : { ok: false, message: issues[0].message };
  } catch {
    return { ok: false, message: 'the body must be JSON, as {"fault":"down"}' };
  }
}

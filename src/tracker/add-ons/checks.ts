import { eventNameRule } from '../../contract/event.ts';
import { notAField } from '../../contract/issue.ts';
import { fitCustom } from '../../contract/repair/fit-attributes.ts';
import { fitField } from '../../contract/repair/fit-record.ts';
import { collect, type Fitting, leftOut, type Misfit, toRepair } from '../../contract/repair/repair.ts';
import type { Attributes } from '../../contract/rules/attributes.ts';
import type { Rule } from '../../contract/rules/rule.ts';
import { idRule } from '../../contract/rules/visitor.ts';
import { identifyFields } from '../../contract/user.ts';
import { type Captured, RecordError } from '../record/capture.ts';
import type { Repair } from '../record/outcome.ts';
import { bare, ownFields } from '../record/own-fields.ts';
import { copyObject } from '../record/safe-copy.ts';
import type { AddOn } from './add-on.ts';
import { typeDrift } from './type-drift.ts';

/** Options of `checks()`. */
export type ChecksOptions = {
  /**
   * Rejects a call that the relay would change or refuse. For development.
   * The `RecordError` names everything that is wrong with the call.
   *
   * @default false
   */
  readonly strict?: boolean;
};

type Fields = { readonly [name: string]: unknown };

// Saved when the script loads: a page may replace it later.
const { parse } = JSON;

const PROFILE_RULES: { readonly [name: string]: Rule<unknown> } = ownFields(identifyFields);

function* fitProfile(profile: Fields): Fitting<Fields> {
  const fitting: { [name: string]: unknown } = {};
  for (const [name, value] of Object.entries(profile)) {
    if (name === 'attributes') fitting[name] = yield* fitCustom(value, name);
    else if (PROFILE_RULES[name]) fitting[name] = yield* fitField(name, value, PROFILE_RULES[name]);
    else yield leftOut([name], notAField('a user'));
  }
  return fitting;
}

/**
 * A field that can't be repaired: with another name or user, the record would be a different one.
 * The relay refuses it.
 */
function broken(path: string, value: unknown, rule: Rule<unknown>): readonly Repair[] {
  const words = rule(value);
  return words === undefined ? [] : [{ path, rule: words, done: 'kept' }];
}

/** A call as the relay would accept it, and everything that the relay would change or refuse. */
function judge({ kind, json, userId }: Captured): {
  readonly fields: Fields;
  readonly repairs: readonly Repair[];
} {
  const misfits: Misfit[] = [];
  const given: Fields = ownFields<Fields>(parse(`{${json}}`));
  if (kind === 'user') {
    const fields = collect(fitProfile(given), misfits);
    const refused = userId === undefined ? [] : broken('userId', userId, idRule);
    return { fields, repairs: [...refused, ...misfits.map(toRepair)] };
  }
  const { eventName, eventData } = given;
  const fields = { eventName, eventData: collect(fitCustom(eventData, 'eventData'), misfits) };
  return { fields, repairs: [...broken('eventName', eventName, eventNameRule), ...misfits.map(toRepair)] };
}

/**
 * Checks each call by the relay's own rules, and reports problems at the call.
 *
 * `on('repaired')` reports what is cut, left out, or kept although WebEngage may not accept it. Throws a
 * `RangeError` if `strict` is not a boolean.
 */
export function checks(options: ChecksOptions = {}): AddOn {
  const { strict = false } = ownFields(options);
  if (typeof strict !== 'boolean') throw new RangeError(`strict must be true or false, not ${strict}`);
  const drift = typeDrift();

  return bare<AddOn>({
    check: (captured, repairs) => {
      const { fields, repairs: found } = judge(captured);
      for (const repair of found) repairs[repairs.length] = repair;
      if (strict && repairs.length > 0)
        throw new RecordError(repairs.map(({ path, rule }) => ({ path, message: rule })));
      const isEvent = captured.kind === 'event';
      const attributes = (isEvent ? fields.eventData : fields.attributes) as Attributes | undefined;
      const record = isEvent ? `${fields.eventName}` : 'identify';
      for (const repair of drift(record, isEvent ? 'eventData' : 'attributes', attributes ?? {}))
        repairs[repairs.length] = repair;
      if (found.every(({ done }) => done === 'kept')) return captured;
      // Serialized by our own copy, which calls no `toJSON` of the page.
      return { ...captured, json: copyObject(fields, '', () => {}).json.slice(1, -1) };
    },
  });
}

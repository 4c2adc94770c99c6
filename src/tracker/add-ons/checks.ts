import { eventNameRule } from '../../contract/event.ts';
import { fitCustom } from '../../contract/fit-attributes.ts';
import { fitField } from '../../contract/fit-field.ts';
import { notAField } from '../../contract/issue.ts';
import { collect, type Fitting, leftOut, type Misfit, toRepair } from '../../contract/repair.ts';
import type { Attributes } from '../../contract/rules/attributes.ts';
import type { Rule } from '../../contract/rules/rule.ts';
import { idRule } from '../../contract/rules/visitor.ts';
import { identifyFields } from '../../contract/user.ts';
import { type Captured, RecordError } from '../record/capture.ts';
import type { Repair } from '../record/outcome.ts';
import { bare, ownFields } from '../record/own-fields.ts';
import { copyFields, toJsonObject } from '../record/safe-copy.ts';
import type { AddOn } from './add-on.ts';
import { typeDrift } from './type-drift.ts';

/** What `checks()` takes. */
export type ChecksOptions = {
  /**
   * Rejects a call that the relay would change or refuse, with a `RecordError` that names all of it. For development.
   *
   * @default false
   */
  readonly strict?: boolean;
};

type Fields = { readonly [name: string]: unknown };

// As it was when the script was loaded: a page may replace it later.
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

/** A rule that nothing can be changed for: without its name or its user a record is another one. The relay refuses it. */
function broken(path: string, value: unknown, rule: Rule<unknown>): readonly Repair[] {
  const words = rule(value);
  return words === undefined ? [] : [{ path, rule: words, done: 'kept' }];
}

/** A call as the relay will take it, and what it would change or refuse. */
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
 * Judges each call as the relay will, by the same rules, and tells at once: `on('repaired')` hears what is cut, left out, or
 * kept though WebEngage may not take it. Throws a `RangeError` for a `strict` that is neither true nor false.
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
      // Written by the copy, which no `toJSON` of the page's has a say in.
      return { ...captured, json: toJsonObject(copyFields(fields, '', () => {})).slice(1, -1) };
    },
  });
}

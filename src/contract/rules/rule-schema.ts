import { type CustomSchema, custom, type OptionalSchema, optional } from 'valibot';
import type { Rule } from './rule.ts';

type Message = (issue: { readonly input: unknown }) => string;
type RuleSchema<Fitting> = CustomSchema<Fitting, Message>;

/** A rule as a schema, which says what the rule says. */
export function ruleSchema<Fitting>(rule: Rule<Fitting>): RuleSchema<Fitting> {
  return custom<Fitting, Message>(
    (input) => rule(input) === undefined,
    ({ input }) => rule(input) ?? '',
  );
}

type Rules = { readonly [field: string]: Rule<unknown> };
type Schemas<Table extends Rules> = {
  readonly [Field in keyof Table]: Table[Field] extends Rule<infer Fitting>
    ? OptionalSchema<RuleSchema<Exclude<Fitting, undefined>>, undefined>
    : never;
};

/** A table of rules as the entries of an object's schema, each of them optional. */
export function ruleSchemas<Table extends Rules>(rules: Table): Schemas<Table> {
  const entries = Object.entries(rules).map(([field, rule]) => [field, optional(ruleSchema(rule))]);
  // One by one, from the table itself: the same fields, each with its own rule's type.
  return Object.fromEntries(entries) as Schemas<Table>;
}

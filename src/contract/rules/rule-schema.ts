import { type CustomSchema, custom, type OptionalSchema, optional } from 'valibot';
import type { Rule } from './rule.ts';

type Message = (issue: { readonly input: unknown }) => string;
type RuleSchema<Fitting> = CustomSchema<Fitting, Message>;

/** Wraps a rule as a schema with the rule's own message. */
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

/** Turns a table of rules into the entries of an object schema. Every entry is optional. */
export function ruleSchemas<Table extends Rules>(rules: Table): Schemas<Table> {
  const entries = Object.entries(rules).map(([field, rule]) => [field, optional(ruleSchema(rule))]);
  // Built entry by entry from the table: the same fields, each with the type of its own rule.
  return Object.fromEntries(entries) as Schemas<Table>;
}

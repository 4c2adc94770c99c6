import { minLength, optional, picklist, pipe, regex, safeParse, strictObject, string } from 'valibot';
import { SERVER_LANES } from '../../contract/batch.ts';
import { fieldMessage, toIssues } from '../../contract/issue.ts';
import { SENDER_NAME } from '../settings/server-tokens.ts';

/** What the binding of another Worker says about it: its `props` in the wrangler.jsonc of that Worker. */
export type RelayProps = {
  /**
   * The Worker's name in totals and in the log: 1 to 40 letters, digits, `-`, `_` and `.`.
   *
   * @default 'worker'
   */
  readonly name?: string;
  /**
   * As of the client for servers: senders with the same `source` share their `messageId`s.
   *
   * @default 'default'
   */
  readonly source?: string;
  /**
   * `import` for data that may wait: it goes behind everything else.
   *
   * @default 'server'
   */
  readonly lane?: 'server' | 'import';
};

const NAME_RULE = 'must be 1 to 40 letters, digits, -, _ and .';
const SOURCE_RULE = 'must be text';
const LANE_RULE = `must be ${SERVER_LANES.join(' or ')}`;

const propsSchema = strictObject(
  {
    name: optional(pipe(string(NAME_RULE), regex(SENDER_NAME, NAME_RULE)), 'worker'),
    source: optional(pipe(string(SOURCE_RULE), minLength(1, SOURCE_RULE)), 'default'),
    lane: optional(picklist(SERVER_LANES, LANE_RULE), 'server'),
  },
  fieldMessage("a binding's props"),
);

/** The props with their defaults, or a message on what to correct. */
export type ReadProps =
  | { readonly ok: true; readonly props: Required<RelayProps> }
  | { readonly ok: false; readonly message: string };

/** Reads what a binding says. Undefined counts as nothing. */
export function readProps(given: unknown): ReadProps {
  const { success, output, issues } = safeParse(propsSchema, given ?? {});
  if (success) return { ok: true, props: output };
  const faults = toIssues(issues).map(({ path, message }) => `props${path && '.'}${path} ${message}`);
  return { ok: false, message: faults.join('; ') };
}

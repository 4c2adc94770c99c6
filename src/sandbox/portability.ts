import { type Call, jsonReply, type Reply, refusedReading, type Scene } from './answer.ts';
import type { Control } from './control.ts';
import type { DroppedIssue } from './dropped.ts';
import type { BulkPath } from './verdict.ts';

/** A record that WebEngage has, and the parts of it that were dropped silently. */
export type StoredRecord = {
  readonly path: BulkPath;
  readonly record: Fields;
  readonly dropped: readonly DroppedIssue[];
};

type Fields = Readonly<Record<string, unknown>>;

type PrivacyRequest = {
  readonly subject_request_id?: unknown;
  readonly subject_request_type?: unknown;
  readonly subject_identities?: readonly {
    readonly identity_type?: unknown;
    readonly identity_value?: unknown;
  }[];
};

/** How long after a request its receipt promises the data: OpenGDPR asks for a date. */
const RECEIPT_MS = 7 * 24 * 60 * 60 * 1000;

/** The stored data of users. */
export type StoredUsers = {
  /** In the order in which it came. */
  readonly recordsOf: (userId: string) => readonly StoredRecord[];
  readonly erase: (userId: string) => void;
};

/**
 * Answers a request to the privacy API, which follows OpenGDPR. An erasure is carried out at once, and answered with
 * a receipt; WebEngage takes days. What `portability` answers with is documented only as the
 * user's data, in the body: the form of it is made up here.
 * https://docs.webengage.com/docs/rest-api-gdpr-requests
 */
export function answerPrivacyRequest(
  control: Control,
  call: Call,
  scene: Scene,
  { recordsOf, erase }: StoredUsers,
): Reply {
  const fail = (status: number, message: string) => jsonReply(control, scene, status, `Error: ${message}`);
  const refused = refusedReading(control, call, scene);
  if (refused !== undefined) return refused;
  if (control.portability === 'refused')
    return fail(403, 'the key may not use the privacy API, as configured.');

  const request = parse(call.body);
  const { identity_type, identity_value } = request?.subject_identities?.[0] ?? {};
  const isErasure = request?.subject_request_type === 'erasure';
  if (!isErasure && request?.subject_request_type !== 'portability')
    return fail(400, 'the sandbox only knows portability and erasure.');
  if (typeof request.subject_request_id !== 'string' || identity_type !== 'cuid')
    return fail(400, 'subject_request_id and an identity of type cuid are needed.');

  const { subject_request_id } = request;
  const answered = (body: object) => ({ ...jsonReply(control, scene, 201), body: JSON.stringify(body) });
  if (isErasure) erase(String(identity_value));
  if (isErasure || control.portability === 'receipt')
    return answered({
      subject_request_id,
      received_time: new Date(scene.now).toISOString(),
      expected_completion_time: new Date(scene.now + RECEIPT_MS).toISOString(),
    });
  const records = recordsOf(String(identity_value));
  const events = records.filter(({ path }) => path === 'bulk-events').map(({ record }) => record);
  return answered({
    response: {
      status: 'success',
      data: {
        user: profileOf(records.filter(({ path }) => path === 'bulk-users')),
        ...(control.portability === 'profile_and_events' && { events }),
      },
    },
  });
}

/** Merges the fields of all records into one profile: later values win, and dropped ones are left out. */
function profileOf(records: readonly StoredRecord[]): Fields {
  const profile: Record<string, unknown> = {};
  const attributes: Record<string, unknown> = {};
  for (const { record, dropped } of records) {
    const isDropped = new Set(dropped.map(({ path }) => path));
    const add = (to: Record<string, unknown>, from: Fields, within: string) => {
      for (const [name, value] of Object.entries(from))
        if (value !== null && !isDropped.has(within + name)) to[name] = value;
    };
    add(profile, record, '');
    if (!isDropped.has('attributes')) add(attributes, Object(record.attributes), 'attributes.');
  }
  return { ...profile, attributes };
}

function parse(body: string): PrivacyRequest | undefined {
  try {
    return Object(JSON.parse(body));
  } catch {
    return undefined;
  }
}

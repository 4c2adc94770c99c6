export type { Issue } from '../contract/issue.ts';
export { RecordError } from '../tracker/record/capture.ts';
export type { AnyEvents, AttributesOf, EventsOf } from '../tracker/record/event-types.ts';
export type { Profile } from '../tracker/record/profile.ts';
export type { Person, ServerEvent, ServerUser } from './call.ts';
export type { ServerClientOptions } from './options.ts';
export { RelayError, type RelayErrorCode } from './relay-error.ts';
export { createServerClient, type ServerClient } from './server-client.ts';

/** The options of a tracker, with the defaults filled in. */
export type Settings = {
  readonly endpoint: string;
  readonly batchSize: number;
  readonly maxWaitMs: number;
  readonly requestsPerMinute: number;
  readonly burst: number;
  readonly maxRecords: number;
  readonly maxAgeMs: number;
  readonly skipRepeatedIdentify: boolean;
  readonly backgroundSync: boolean;
  readonly debug: boolean | 'data';
};

/** The name of everything that the trackers of an endpoint share: database, lock, sync event. */
export function nameOf(endpoint: string): string {
  return `webengage-relay:${endpoint}`;
}

import type { Answers } from './answers.ts';

/** An order to the sandbox, as its `POST /control` takes it. */
export type SandboxOrder = Readonly<Record<string, unknown>>;

/** What makes the sandbox behave as the account did. What is unknown stays at the sandbox's default. */
export function sandboxOrder(answers: Answers): SandboxOrder {
  const known = <Name extends keyof Answers>(name: Name) => {
    const { value } = answers[name];
    return value === 'unknown' ? undefined : (value as Exclude<Answers[Name]['value'], 'unknown'>);
  };
  const largest = known('largestBody');
  const order = {
    success: known('success'),
    limit: known('limit'),
    requestsPerMinute: known('requestsPerMinute'),
    rateHeaders: known('rateHeaders'),
    empty: known('empty'),
    invalid: known('invalid'),
    idempotency: known('idempotency'),
    // An accepted call tells nothing of its records: the sandbox then takes it for a double where ids are honoured.
    reusedRequestId: known('reusedRequestId') === 'accepted' ? 'swallowed' : known('reusedRequestId'),
    tooMany: known('tooMany'),
    dateForms: {
      z: known('dateZ'),
      colon: known('dateColon'),
      milliseconds: known('dateMilliseconds'),
      epoch: known('dateEpoch'),
    },
    nulls: known('nulls'),
    rcsOptIn: known('rcsOptIn'),
    maxBodyBytes: largest?.refusedBytes == null ? undefined : largest.acceptedBytes,
    portability: known('portability'),
  };
  // By way of JSON: what is undefined is left out.
  return JSON.parse(JSON.stringify(order));
}

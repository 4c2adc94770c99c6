import type { SdkCall } from './sdk-call.ts';
import type { SdkSwitches } from './sdk-switches.ts';

type Fields = Readonly<Record<string, unknown>>;

/** Something that has arrived at the account, by REST or from the SDK. */
export type Arrival =
  | { readonly from: 'rest'; readonly record: Fields }
  | { readonly from: 'sdk'; readonly call: SdkCall };

type ProfileEvent = { readonly eventName: string; readonly from: 'rest' | 'sdk'; readonly data?: unknown };

/** A person, as the dashboard shows one: a known user, or an anonymous visitor by the id that was sent. */
type Profile = {
  readonly userId?: string;
  readonly anonymousId?: string;
  readonly events: readonly ProfileEvent[];
  readonly attributes: Fields;
};

export type Profiles = {
  readonly profiles: readonly Profile[];
  /** Records that WebEngage has taken and filed nowhere. */
  readonly lost: readonly Fields[];
};

/** One thing that a profile holds. */
type Held = { readonly from: 'rest' | 'sdk'; readonly record: Fields };

/** Files what has arrived, in this order, under the profiles that WebEngage would show. */
export function profilesOf(arrivals: readonly Arrival[], switches: SdkSwitches): Profiles {
  const known = new Map<string, Held[]>();
  const anonymous = new Map<string, Held[]>();
  // Whom the SDK has merged each anonymous id into.
  const mergedInto = new Map<string, string>();
  const lost: Fields[] = [];
  const file = (map: Map<string, Held[]>, id: string, ...held: readonly Held[]) =>
    map.set(id, [...(map.get(id) ?? []), ...held]);

  function fileRest(record: Fields): void {
    const { userId, anonymousId } = record;
    const held: Held = { from: 'rest', record };
    // With both ids, the anonymous one is ignored.
    if (userId !== undefined) return void file(known, `${userId}`, held);
    const id = `${anonymousId}`;
    const owner = mergedInto.get(id);
    if (owner === undefined || switches.anonymousAfter === 'apart') file(anonymous, id, held);
    else if (switches.anonymousAfter === 'merged') file(known, owner, held);
    else lost.push(record);
  }

  function hear(call: SdkCall): void {
    const { luid, userId } = call;
    if (call.call === 'track') {
      const held: Held = { from: 'sdk', record: { eventName: call.eventName, eventData: call.eventData } };
      if (userId === undefined) file(anonymous, luid, held);
      else file(known, userId, held);
      return;
    }
    // What came after an earlier login, and was not merged then, is not merged now.
    const mergesRest = switches.anonymousBefore === 'merged' && !mergedInto.has(luid);
    const all = anonymous.get(luid) ?? [];
    const moved = all.filter(({ from }) => from === 'sdk' || mergesRest);
    file(known, call.userId, ...moved);
    anonymous.set(
      luid,
      all.filter((held) => !moved.includes(held)),
    );
    mergedInto.set(luid, call.userId);
  }

  for (const arrival of arrivals)
    if (arrival.from === 'rest') fileRest(arrival.record);
    else hear(arrival.call);

  return {
    profiles: [
      ...[...known].map(([userId, held]) => ({ userId, ...contentOf(held) })),
      ...[...anonymous]
        .filter(([, held]) => held.length > 0)
        .map(([anonymousId, held]) => ({ anonymousId, ...contentOf(held) })),
    ],
    lost,
  };
}

function contentOf(held: readonly Held[]): Pick<Profile, 'events' | 'attributes'> {
  const events: ProfileEvent[] = [];
  let attributes: Fields = {};
  for (const { from, record } of held) {
    const { eventName, eventData, userId, anonymousId, ...fields } = record;
    if (typeof eventName === 'string')
      events.push({ eventName, from, ...(eventData !== undefined && { data: eventData }) });
    else attributes = { ...attributes, ...fields };
  }
  return { events, attributes };
}

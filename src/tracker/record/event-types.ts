/** Undeclared events: any name, any object. Values that can't be sent are reported at run time. */
export type AnyEvents = { readonly [eventName: string]: object | undefined };

/**
 * Sent unchanged or, for a `Date` or anything else with a `toJSON`, as that writes it.
 * Undefined counts as absent.
 */
type Sendable = string | number | boolean | undefined | { toJSON(): unknown };

/** The part of a type that can be sent: null, functions, symbols and bigints in it become `never`. */
type SendableOf<Value> = unknown extends Value
  ? Value // `any` and `unknown` may be anything, including what can be sent.
  : Value extends Sendable
    ? Value
    : Value extends (...call: never[]) => unknown
      ? never
      : Value extends object
        ? { readonly [Name in keyof Value]: SendableOf<Value[Name]> }
        : never;

/**
 * Declarations of events: for each name a plain object of attributes, or `undefined` for an event without any.
 * Null and functions do not compile, because a call would leave them out at run time.
 */
export type EventsOf<Events> = {
  readonly [Name in keyof Events]: Events[Name] extends readonly unknown[]
    ? never
    : SendableOf<Events[Name]> & (object | undefined);
};

/** Declarations of a user's attributes: a plain object. Mark what a call may leave out with a `?`. */
export type AttributesOf<Attributes> = { readonly [Name in keyof Attributes]: SendableOf<Attributes[Name]> };

/** An argument that is optional if everything in it is. If nothing fits, no call compiles. */
type DataArgument<Data> = [Data] extends [never]
  ? [eventData: never]
  : undefined extends Data
    ? [eventData?: Data]
    : Partial<Data> extends Data
      ? [eventData?: Data]
      : [eventData: Data];

/** What fits each of several events, for a name that may be any of them. */
type DataOfEach<Events, Name extends keyof Events> = {
  readonly [Each in Name]: (data: Events[Each]) => void;
}[Name] extends (data: infer Data) => void
  ? Data
  : never;

/** The arguments of `track` after the event's name. */
export type EventData<Events, Name extends keyof Events> = string extends keyof Events
  ? DataArgument<Events[Name]>
  : DataArgument<DataOfEach<Events, Name>>;

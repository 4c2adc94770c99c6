/** Event names and their attributes, where none are declared: any name, any object; what can't be sent is told at run time. */
export type AnyEvents = { readonly [eventName: string]: object | undefined };

/** Goes as it is, or, a `Date` or what else has a `toJSON`, by the words it has for itself. Undefined is not given. */
type Sendable = string | number | boolean | undefined | { toJSON(): unknown };

/** A type as far as it can be sent: a null, a function, a symbol or a bigint in it becomes `never`. */
type SendableOf<Value> = unknown extends Value
  ? Value // `any` and `unknown` may be anything, what can be sent too.
  : Value extends Sendable
    ? Value
    : Value extends (...call: never[]) => unknown
      ? never
      : Value extends object
        ? { readonly [Name in keyof Value]: SendableOf<Value[Name]> }
        : never;

/**
 * What events can be declared as: for each name a plain object of attributes, or `undefined` for none.
 * No null and no function in it: what a call would leave out at run time, the compiler refuses.
 */
export type EventsOf<Events> = {
  readonly [Name in keyof Events]: Events[Name] extends readonly unknown[]
    ? never
    : SendableOf<Events[Name]> & (object | undefined);
};

/** What a user's attributes can be declared as: a plain object of them. What a call may leave out is declared with a `?`. */
export type AttributesOf<Attributes> = { readonly [Name in keyof Attributes]: SendableOf<Attributes[Name]> };

/** An argument that may be left out where all in it may; where nothing fits, there is no call. */
type DataArgument<Data> = [Data] extends [never]
  ? [eventData: never]
  : undefined extends Data
    ? [eventData?: Data]
    : Partial<Data> extends Data
      ? [eventData?: Data]
      : [eventData: Data];

/** What fits each of several events: for a name that may be any of them. */
type DataOfEach<Events, Name extends keyof Events> = {
  readonly [Each in Name]: (data: Events[Each]) => void;
}[Name] extends (data: infer Data) => void
  ? Data
  : never;

/** What `track` takes behind the name of an event. */
export type EventData<Events, Name extends keyof Events> = string extends keyof Events
  ? DataArgument<Events[Name]>
  : DataArgument<DataOfEach<Events, Name>>;

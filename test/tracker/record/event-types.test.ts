import { expectTypeOf, test } from 'vitest';
import { type AnyEvents, createTracker, type EventsOf, type Tracker } from '../../../src/tracker/index.ts';
import type { ShopEvents, ShopUser } from '../../plan/shop-events.ts';

// `npm run check` is what fails here: an error that is not expected, or one that is and does not come.

interface CartEvents {
  'Added to Cart': Item;
  'Looked for': { readonly words: string; readonly tags?: readonly string[]; readonly since?: Date };
  'Signed Out': undefined;
  Scrolled: { readonly to?: number };
}

interface Item {
  Price: number;
  Note?: string | undefined;
}

const typed = <Events extends object>() => ({ track: async () => {} }) as unknown as Tracker<Events>;
const { track } = typed<CartEvents>();
const untyped = typed().track as Tracker['track'];

test('an event takes the attributes it was declared with', () => {
  const item: Item = { Price: 1 };

  track('Added to Cart', item);
  track('Added to Cart', { Price: 1, Note: undefined });
  track('Looked for', { words: 'shoes', tags: ['red'] as const, since: new Date() });
  expectTypeOf(track('Added to Cart', item)).toEqualTypeOf<Promise<void>>();
});

test('an event without attributes, or with optional ones alone, needs only its name', () => {
  track('Signed Out');
  track('Signed Out', undefined);
  track('Scrolled');
  track('Scrolled', { to: 100 });
});

test('an undeclared name does not compile', () => {
  // @ts-expect-error
  track('Added to cart', { Price: 1 });
  // @ts-expect-error
  track('');
});

test('undeclared attributes do not compile', () => {
  // @ts-expect-error: missing
  track('Added to Cart', {});
  // @ts-expect-error: all of them missing
  track('Added to Cart');
  // @ts-expect-error: of another type
  track('Added to Cart', { Price: '1' });
  // @ts-expect-error: one too many
  track('Added to Cart', { Price: 1, Currency: 'EUR' });
  // @ts-expect-error: null is not "not given"
  track('Added to Cart', { Price: 1, Note: null });
  // @ts-expect-error: there are none
  track('Signed Out', {});
  // @ts-expect-error: a date as text, where a `Date` was declared
  track('Looked for', { words: 'shoes', since: '2026-11-23' });
  // @ts-expect-error: misspelt, though none is needed
  track('Scrolled', { too: 100 });
});

test('a name that may be one of several accepts what fits each of them', () => {
  type Views = { Viewed: { id: number }; Bought: { id: number; Price: number }; Left: undefined };
  const views = typed<Views>().track;
  const name = 'Viewed' as 'Viewed' | 'Bought';

  views(name, { id: 1, Price: 2 });
  // @ts-expect-error: Bought has a Price
  views(name, { id: 1 });
  // @ts-expect-error: nothing fits both
  views(name as 'Bought' | 'Left');
});

test('name patterns, and interfaces as well as types, are declarations too', () => {
  type Patterns = { [name: `Viewed ${string}`]: { id: number } };
  type Either = { Paid: { card: string } | { invoice: number } };

  typed<Patterns>().track('Viewed a shoe', { id: 1 });
  typed<Either>().track('Paid', { invoice: 7 });
  // @ts-expect-error
  typed<Patterns>().track('Bought a shoe', { id: 1 });
  // @ts-expect-error
  typed<Either>().track('Paid', { cash: 7 });
});

test('without declarations any name and any object is accepted', () => {
  const item: Item = { Price: 1 };

  untyped('Anything');
  untyped('Anything', item);
  untyped('Anything', { at: new Date(), list: [1, { deep: true }], nothing: undefined });
  expectTypeOf(createTracker<AnyEvents>).returns.toEqualTypeOf<Tracker>();
  // @ts-expect-error: attributes have names
  untyped('Anything', 'text');
  // @ts-expect-error
  untyped('Anything', null);
});

test('a sendable value can be declared', () => {
  type Tree = { readonly name: string; readonly branches: readonly Tree[] };

  createTracker<CartEvents>;
  createTracker<{ Grown: Tree; Seen: { at: Date; page: URL; size: [number, number] } }>;
  createTracker<{ Open: { known: unknown; more: Record<string, unknown> }; Kind: { of: 'a' | 'b' } }>;
  createTracker<{ [name: string]: { n: number } }>;
  expectTypeOf<CartEvents>().toExtend<EventsOf<CartEvents>>();
});

test('a value that can’t be sent can’t be declared', () => {
  // @ts-expect-error
  createTracker<{ Seen: { by: null } }>;
  // @ts-expect-error
  createTracker<{ Seen: { by?: string | null } }>;
  // @ts-expect-error
  createTracker<{ Seen: { then: () => void } }>;
  // @ts-expect-error
  createTracker<{ Seen: { deep: { in: readonly symbol[] } } }>;
  // @ts-expect-error
  createTracker<{ Seen: { count: bigint } }>;
  // @ts-expect-error
  createTracker<{ Seen: { by: Map<string, string> } }>;
  // @ts-expect-error
  createTracker<{ Seen: string[] }>;
  // @ts-expect-error
  createTracker<{ Seen: string }>;
  // @ts-expect-error
  createTracker<{ Seen: null }>;
});

test('a user accepts exactly the declared attributes', () => {
  type ShopUser = { Plan?: 'free' | 'paid'; 'Loyalty Points'?: number };
  const { identify } = {} as ReturnType<typeof createTracker<CartEvents, ShopUser>>;
  const calls = () => {
    identify('johndoe', { email: 'john@doe.com', attributes: { Plan: 'paid' } });
    identify('johndoe');
    // @ts-expect-error: none of its values
    identify('johndoe', { attributes: { Plan: 'gold' } });
    // @ts-expect-error: one too many
    identify('johndoe', { attributes: { Age: 31 } });
    // @ts-expect-error: what can't be sent can't be declared
    createTracker<CartEvents, { Plan: null }>({ endpoint: 'https://t.example.com' });
  };

  expectTypeOf(calls).returns.toBeVoid();
});

test('types generated from a tracking plan are ordinary declarations', () => {
  const calls = () => {
    const { track, identify } = createTracker<ShopEvents, ShopUser>({ endpoint: 'https://t.example.com' });
    track('Signed Out');
    track('Popped', { anything: 1 });
    track('Experiment Seen', { Name: 'Blue', Variant: 2 });
    const added = {
      Product: 'Lamp',
      Price: 1,
      Size: 'S',
      Arrives: new Date(),
      Gift: true,
      Tags: ['new'],
    } as const;
    track('Added to Cart', { ...added, Coupon: undefined, Seller: { Name: 'Ada' } });
    identify('johndoe', { attributes: { Plan: 'free', 'Member Since': new Date() } });
    // @ts-expect-error: not one of the plan's values
    track('Added to Cart', { ...added, Size: 'L' });
    // @ts-expect-error: nested, and of another type
    track('Added to Cart', { ...added, Seller: { Name: 1 } });
    // @ts-expect-error: not in the plan
    track('Page Viewed');
  };

  expectTypeOf(calls).returns.toBeVoid();
});

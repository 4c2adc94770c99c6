import { expect, test } from 'vitest';
import { CAN_FILL, slowDatabase } from './harness/page-troubles.ts';
import { realPages } from './harness/real-pages.ts';

// Whom each event belongs to, by a model of a few lines, against random visits in a browser whose storage misbehaves.

const pages = realPages();

const SEEDS = [1, 2, 3, 4, 5, 6];
const STEPS = 14;

// The shop makes room again with each page: with neither store at hand nothing could be kept.
const MAKE_ROOM = `Object.keys(localStorage).forEach(function (key) { if (key.startsWith('shop-')) localStorage.removeItem(key); });`;

const PAGES = ['', slowDatabase(), slowDatabase(400)].map((slow) => `${MAKE_ROOM} ${CAN_FILL} ${slow}`);

type Step = { readonly code: string; readonly leaves: boolean };

/** A generator of numbers from 0 to 1, the same for the same seed. https://en.wikipedia.org/wiki/Linear_congruential_generator */
function randomOf(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (state * 1_664_525 + 1_013_904_223) % 4_294_967_296;
    return state / 4_294_967_296;
  };
}

/** A visit, and by its model the owner of each of its events: a user's id, or the number of an anonymous visitor. */
function visitOf(seed: number): {
  readonly steps: readonly Step[];
  readonly owners: ReadonlyMap<string, string>;
} {
  const random = randomOf(seed);
  const owners = new Map<string, string>();
  let owner = 'anonymous 0';
  let visitors = 0;
  let code = '';
  const steps: Step[] = [];

  for (let n = 0; n < STEPS; n++) {
    const chance = random();
    if (chance < 0.2) {
      owner = `user ${seed}-${n}`;
      code += `webengageRelay.identify('${owner}');`;
    } else if (chance < 0.35) {
      visitors += 1;
      owner = `anonymous ${visitors}`;
      code += `webengageRelay.reset();`;
    } else if (chance < 0.45) code += `localStorage.clear();`;
    else if (chance < 0.5) code += `await webengageRelay.stats(); fillStorage();`;
    const name = `Event ${n}`;
    owners.set(name, owner);
    code += `webengageRelay.track('${name}');`;
    const leaves = random() < 0.6;
    if (leaves || random() < 0.5) {
      steps.push({ code: leaves ? code : `${code} await webengageRelay.flush();`, leaves });
      code = '';
    }
  }
  if (code !== '') steps.push({ code, leaves: true });
  return { steps, owners };
}

/** The anonymous visitors numbered in the order in which they first came. */
function numbered(owners: readonly (readonly [name: string, owner: string])[]): Record<string, string> {
  const numbers = new Map<string, number>();
  return Object.fromEntries(
    owners.map(([name, owner]) => {
      if (!owner.startsWith('anonymous ')) return [name, owner];
      const number = numbers.get(owner) ?? numbers.size;
      numbers.set(owner, number);
      return [name, `anonymous ${number}`];
    }),
  );
}

test.each(SEEDS)(
  'visit %i: each event arrives once, with the visitor that the model predicts',
  async (seed) => {
    const { steps, owners } = visitOf(seed);
    const visitor = await pages.visitor();
    const next = (index: number) => ({ before: PAGES[(seed + index) % PAGES.length] ?? '' });
    const tab = await visitor.open(next(0));

    for (const [index, { code, leaves }] of steps.entries())
      if (leaves) await tab.leave(code, next(index + 1));
      else await tab.run(code);
    await tab.go();
    await tab.flush();

    const names = [...owners.keys()];
    await visitor.relay.have(names);
    const found = names.map((name) => [name, visitor.relay.ownerOf(name)] as const);
    expect(numbered(found)).toEqual(numbered([...owners]));
    expect(visitor.relay.doubled()).toEqual([]);
    expect(visitor.relay.devices()).toHaveLength(1);
  },
);

import { HonoBase } from 'hono/hono-base';
import { TrieRouter } from 'hono/router/trie-router';
import type { Relay } from '../durable-objects/env.ts';

/** An app without routes. Of Hono's exact routers it has the smallest one: the relay has few routes. */
export function newApp(): HonoBase<Relay> {
  return new HonoBase<Relay>({ router: new TrieRouter() });
}

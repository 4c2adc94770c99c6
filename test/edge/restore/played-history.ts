import { evictDurableObject, runInDurableObject } from 'cloudflare:test';
import type { Outbox } from '../../../src/edge/durable-objects/outbox.ts';

type Copy = {
  readonly tables: readonly { readonly sql: string; readonly name: string; readonly rows: Row[] }[];
  readonly kv: readonly (readonly [string, unknown])[];
};

type Row = Record<string, SqlStorageValue>;

const TABLES =
  "SELECT name, sql FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf_*' AND name NOT GLOB 'sqlite_*'";

/** Everything that an object has stored, tables and keys. */
export function copyOf({ sql, kv }: DurableObjectStorage): Copy {
  const tables = sql.exec<{ name: string; sql: string }>(TABLES).toArray();
  return {
    tables: tables.map((table) => ({
      ...table,
      rows: sql.exec<Row>(`SELECT * FROM ${table.name}`).toArray(),
    })),
    kv: [...kv.list()],
  };
}

/** Makes an object's storage what it was when it was copied. */
export function putBack({ sql, kv }: DurableObjectStorage, copy: Copy): void {
  for (const { name } of sql.exec<{ name: string }>(TABLES).toArray()) sql.exec(`DROP TABLE ${name}`);
  for (const [key] of [...kv.list()]) kv.delete(key);
  for (const { name, sql: create, rows } of copy.tables) {
    sql.exec(create);
    for (const row of rows) {
      const places = Object.keys(row).map(() => '?');
      sql.exec(
        `INSERT INTO ${name} (${Object.keys(row).join(', ')}) VALUES (${places.join(', ')})`,
        ...Object.values(row),
      );
    }
  }
  for (const [key, value] of copy.kv) kv.put(key, value);
}

/**
 * The platform's point-in-time recovery for one outbox, which workerd does not have: copies of its storage, one of
 * which is put back when the object restarts. An eviction ends the play.
 */
export function playedHistory(stub: DurableObjectStub<Outbox>) {
  const copies: { readonly at: number; readonly bookmark: string; readonly copy: Copy }[] = [];
  const note = (storage: DurableObjectStorage, bookmark: string) =>
    void copies.push({ at: Date.now(), bookmark, copy: copyOf(storage) });

  /** Gives the running object the platform's methods. */
  const play = () =>
    runInDurableObject(stub, (_, ctx) => {
      let next: Copy | undefined;
      let undo = '';
      Object.assign(ctx.storage, {
        getBookmarkForTime: async (at: number) => {
          const found = copies.findLast((each) => each.at <= at);
          if (found === undefined) throw new Error('no history');
          return found.bookmark;
        },
        onNextSessionRestoreBookmark: async (bookmark: string) => {
          next = copies.find((each) => each.bookmark === bookmark)?.copy;
          if (next === undefined) throw new Error('no such bookmark');
          undo = `undo-${copies.length}`;
          return undo;
        },
      });
      Object.assign(ctx, {
        abort: () => {
          note(ctx.storage, undo);
          if (next !== undefined) putBack(ctx.storage, next);
          throw new Error('restarts');
        },
      });
    });

  return {
    play,
    /** Notes the present. Returns the moment. */
    keep: async (): Promise<string> => {
      await runInDurableObject(stub, (_, { storage }) => note(storage, `bookmark-${copies.length}`));
      const at = Date.now();
      while (Date.now() === at) await scheduler.wait(1);
      return new Date(at).toISOString();
    },
    /** What the platform does after `abort`: the object starts anew. */
    restart: async () => {
      await evictDurableObject(stub);
      await play();
    },
  };
}

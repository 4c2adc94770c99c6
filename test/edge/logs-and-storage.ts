import { runInDurableObject } from 'cloudflare:test';
import { vi } from 'vitest';

const METHODS = ['debug', 'error', 'info', 'log', 'trace', 'warn'] as const;

/** Takes down whatever is logged from now on, until the mocks are restored. */
export function loggedLines(): () => string {
  const spies = METHODS.map((method) => vi.spyOn(console, method).mockImplementation(() => {}));
  return () => JSON.stringify(spies.flatMap(({ mock }) => mock.calls));
}

/** Everything that an object keeps: each row of each table, and each value beside them. */
export function everythingIn(stub: DurableObjectStub): Promise<string> {
  return runInDurableObject(stub, (_, { storage }) => {
    const names = storage.sql.exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'");
    const tables = [...names].filter(({ name }) => !name.startsWith('_cf'));
    const rows = tables.flatMap(({ name }) => [...storage.sql.exec(`SELECT * FROM "${name}"`)]);
    return JSON.stringify([rows, [...storage.kv.list()]]);
  });
}

import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { localPageStorage } from '../../../src/tracker/platform/local-storage.ts';

/** `localStorage` with room for a few characters. What it stores is its own fields, as a browser has it. */
class SmallStorage {
  getItem(key: string): string | null {
    return Object.entries(this).find(([name]) => name === key)?.[1] ?? null;
  }
  setItem(key: string, text: string): void {
    if (text.length > 5) throw new DOMException('no room', 'QuotaExceededError');
    Object.assign(this, { [key]: text });
  }
  removeItem(key: string): void {
    Reflect.deleteProperty(this, key);
  }
}

beforeEach(() => vi.stubGlobal('localStorage', new SmallStorage()));
afterEach(() => vi.unstubAllGlobals());

test('keeps what it is given', () => {
  expect(localPageStorage.set('key', 'text')).toBe(true);
  expect(localPageStorage.get('key')).toBe('text');
  expect(localPageStorage.keys()).toEqual(['key']);
  localPageStorage.remove('key');
  expect(localPageStorage.get('key')).toBeNull();
});

test('keeps no old value when it has no room for the new one', () => {
  localPageStorage.set('key', 'old');

  expect(localPageStorage.set('key', 'longer')).toBe(false);
  expect(localPageStorage.get('key')).toBeNull();
});

test('does nothing, and throws nothing, where there is no storage', () => {
  vi.stubGlobal('localStorage', undefined);

  expect(localPageStorage.set('key', 'text')).toBe(false);
  expect(localPageStorage.get('key')).toBeUndefined();
  expect(localPageStorage.keys()).toEqual([]);
  expect(() => localPageStorage.remove('key')).not.toThrow();
});

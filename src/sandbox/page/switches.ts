import type { Control } from '../control.ts';
import type { Change } from './client.ts';

type Field = HTMLInputElement | HTMLSelectElement;

// Each field with `data-switch` sets the switch of that name, or with a dot one part of it.
const fields = [...document.querySelectorAll<Field>('[data-switch]')];

// How a field's text is meant, by its `data-as`; without one it is a text.
const READ: { readonly [as: string]: (text: string) => unknown } = {
  list: (text) => text.split(',').map((item) => item.trim()),
  /** 200 is a number, true a truth, and what is neither a text. */
  scalar: (text) => {
    try {
      const value: unknown = JSON.parse(text);
      return typeof value === 'object' && value !== null ? text : value;
    } catch {
      return text;
    }
  },
};

/** The switches for undocumented behavior. `order` is given what is to change. */
export function startSwitches(order: (change: Change) => Promise<void>): void {
  for (const field of fields) {
    field.addEventListener('input', () => field.setCustomValidity(''));
    field.addEventListener('change', () => {
      if (field.reportValidity()) order(changeBy(field)).catch((error: Error) => objectTo(field, error));
    });
  }
}

export function showSwitches(control: Control): void {
  const values: { readonly [name: string]: unknown } = control;
  for (const field of fields) {
    const [name, part] = nameOf(field);
    const value = values[name];
    showValue(field, part === undefined ? value : (value as Change | undefined)?.[part]);
  }
}

function nameOf({ dataset }: Field): readonly [name: string, part: string | undefined] {
  const [name = '', part] = dataset.switch?.split('.') ?? [];
  return [name, part];
}

function changeBy(field: Field): Change {
  const [name, part] = nameOf(field);
  return { [name]: part === undefined ? read(field) : readParts(name) };
}

/** All parts of one switch; nothing if they are empty, or one is that must not be. */
function readParts(name: string): Change | undefined {
  const ofSwitch = fields.filter((field) => nameOf(field)[0] === name);
  const parts = ofSwitch.map((field) => [nameOf(field)[1] ?? '', read(field)] as const);
  const lacksOne = ofSwitch.some((field) => 'required' in field.dataset && read(field) === undefined);
  const isEmpty = parts.every(([, value]) => value === undefined);
  return lacksOne || isEmpty ? undefined : Object.fromEntries(parts);
}

// What is empty is left out of the order: it is then as it should be.
function read({ dataset, value }: Field): unknown {
  const as = READ[dataset.as ?? ''] ?? String;
  return value === '' ? undefined : as(value);
}

function objectTo(field: Field, error: Error): void {
  field.setCustomValidity(error.message);
  field.reportValidity();
}

function showValue(field: Field, value: unknown): void {
  // Not under the fingers of whoever is changing it.
  if (document.activeElement === field) return;
  field.value = Array.isArray(value) ? value.join(', ') : String(value ?? '');
  if (field instanceof HTMLSelectElement && field.selectedIndex === -1) field.selectedIndex = 0;
}

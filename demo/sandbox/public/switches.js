// Each field with `data-switch` sets the switch of that name, or with a dot one part of it.
const fields = [...document.querySelectorAll('[data-switch]')];

// How a field's text is meant, by its `data-as`; without one it is a text.
const READ = {
  list: (text) => text.split(',').map((item) => item.trim()),
  /** 200 is a number, true a truth, and what is neither a text. */
  scalar: (text) => {
    try {
      const value = JSON.parse(text);
      return typeof value === 'object' && value !== null ? text : value;
    } catch {
      return text;
    }
  },
};

/** The switches for what no document says. `order` is given what is to change. */
export function startSwitches(order) {
  for (const field of fields) {
    field.addEventListener('input', () => field.setCustomValidity(''));
    field.addEventListener('change', () => {
      if (field.reportValidity()) order(changeBy(field)).catch((error) => objectTo(field, error));
    });
  }
}

export function showSwitches(control) {
  for (const field of fields) {
    const [name, part] = field.dataset.switch.split('.');
    showValue(field, part === undefined ? control[name] : control[name]?.[part]);
  }
}

function changeBy(field) {
  const [name, part] = field.dataset.switch.split('.');
  return { [name]: part === undefined ? read(field) : readParts(name) };
}

/** All parts of one switch; nothing, where the first of them is empty. */
function readParts(name) {
  const parts = fields.filter((field) => field.dataset.switch.startsWith(`${name}.`));
  if (read(parts[0]) === undefined) return undefined;
  return Object.fromEntries(parts.map((field) => [field.dataset.switch.split('.')[1], read(field)]));
}

// What is empty is left out of the order: it is then as it should be.
function read(field) {
  const as = READ[field.dataset.as] ?? String;
  return field.value === '' ? undefined : as(field.value);
}

function objectTo(field, error) {
  field.setCustomValidity(error.message);
  field.reportValidity();
}

function showValue(field, value) {
  // Not under the fingers of whoever is changing it.
  if (document.activeElement === field) return;
  field.value = Array.isArray(value) ? value.join(', ') : String(value ?? '');
  if (field.selectedIndex === -1) field.selectedIndex = 0;
}

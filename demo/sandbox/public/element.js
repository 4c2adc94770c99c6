/** One element with properties and children. Text goes in as text, never as HTML. */
export function element(name, properties = {}, ...children) {
  const { data = {}, ...own } = properties;
  const made = Object.assign(document.createElement(name), own);
  Object.assign(made.dataset, data);
  made.append(...children);
  return made;
}

/** The one element that a selector means in our own page. */
export function find(selector, within = document) {
  return within.querySelector(selector);
}

/** Writes only what has changed: a live region must not speak up without news. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

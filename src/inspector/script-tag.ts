import { defineInspector, NAME } from './define.ts';

// A classic script has one; a module has none, and can import the package's entry in its place.
const { src } = document.currentScript as HTMLScriptElement;

defineInspector(new URL(src).origin);

/** Where the page has none of its own it gets one, out of its way. */
function addOne(): void {
  if (document.querySelector(NAME)) return;
  const inspector = document.createElement(NAME);
  inspector.toggleAttribute('floating', true);
  document.body.append(inspector);
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', addOne);
else addOne();

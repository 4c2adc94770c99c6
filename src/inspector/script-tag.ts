import { defineInspector, NAME } from './define.ts';

// A classic script has one. A module has none, and can import the package's entry instead.
const { src } = document.currentScript as HTMLScriptElement;

defineInspector(new URL(src).origin);

/** Adds a floating inspector to a page that has none of its own. */
function addOne(): void {
  if (document.querySelector(NAME)) return;
  const inspector = document.createElement(NAME);
  inspector.toggleAttribute('floating', true);
  document.body.append(inspector);
}

if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', addOne);
else addOne();

import { type ComponentChild, render } from 'preact';
import { afterEach } from 'vitest';

const host = document.createElement('div');

afterEach(() => {
  render(null, host);
  host.remove();
});

/** Renders into the document, until the test ends. Answers what it was rendered into. */
export function rendered(child: ComponentChild): HTMLElement {
  if (!host.isConnected) document.body.append(host);
  render(child, host);
  return host;
}

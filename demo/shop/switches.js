import { find } from '../../dist/modules/ui/dom.js';
import { track } from './calls.js';
import { CURRENCY, described, PRODUCTS } from './products.js';

const MANY = 200;
const faultButtons = document.querySelectorAll('[data-fault]');
const pressed = (button) => button.getAttribute('aria-pressed') === 'true';
const press = (button, on) => button.setAttribute('aria-pressed', String(on));

/** The switches for faults. `order` asks the sandbox for one. */
export function startSwitches(wire, order) {
  const offline = find('#offline');
  press(offline, wire.isOffline());
  offline.addEventListener('click', () => {
    wire.setOffline(!wire.isOffline());
    press(offline, wire.isOffline());
  });

  for (const button of faultButtons)
    button.addEventListener('click', () => order(pressed(button) ? 'none' : button.dataset.fault));

  find('#many').addEventListener('click', trackMany);
  find('#bad-data').addEventListener('click', trackBadData);
}

/** The fault may also be ordered at the sandbox itself: the buttons show what is. */
export function showFault(fault) {
  for (const button of faultButtons) press(button, button.dataset.fault === fault);
}

function trackMany() {
  for (let index = 0; index < MANY; index += 1)
    void track('Product Viewed', { ...described(PRODUCTS[index % PRODUCTS.length]), Position: index + 1 });
}

function trackBadData() {
  void track('Review Written', {
    Product: PRODUCTS[0].name,
    Currency: CURRENCY,
    Stars: Number.NaN,
    'Purchase date': new Date('the day before yesterday'),
    'On sent': () => {},
    Text: 'Lovely. '.repeat(150),
  });
}

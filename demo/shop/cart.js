import { element, find, setText } from '../../dist/modules/ui/dom.js';
import { track } from './calls.js';
import { CURRENCY, described, money, productById } from './products.js';

const KEPT_AS = 'demo-cart';
const DELIVERY_DAYS = 3;
const lines = new Map(JSON.parse(localStorage.getItem(KEPT_AS) ?? '[]'));

/** The cart at the foot of the shelf, as it was left. */
export function startCart() {
  find('#checkout').addEventListener('click', checkOut);
  render();
}

export function addToCart(product) {
  lines.set(product.id, (lines.get(product.id) ?? 0) + 1);
  void track('Added to Cart', { ...described(product), Quantity: 1 });
  setText(find('#thanks'), '');
  changed();
}

function removeFromCart(product) {
  const quantity = lines.get(product.id);
  lines.delete(product.id);
  void track('Removed from Cart', { ...described(product), Quantity: quantity });
  changed();
}

function checkOut() {
  const delivery = deliveryFrom(new Date());
  const items = inCart();
  void track('Checkout Completed', {
    Total: total(),
    Currency: CURRENCY,
    'Item count': pieces(),
    'Gift wrap': find('#gift').checked,
    'Delivery date': delivery,
    Items: items.map(({ product, quantity }) => ({ ...described(product), Quantity: quantity })),
  });
  const day = delivery.toLocaleDateString('en', { weekday: 'long', day: 'numeric', month: 'long' });
  setText(find('#thanks'), `Thank you! It comes on ${day}.`);
  lines.clear();
  changed();
}

function deliveryFrom(now) {
  return new Date(now.getFullYear(), now.getMonth(), now.getDate() + DELIVERY_DAYS, 9);
}

function inCart() {
  return [...lines].map(([id, quantity]) => ({ product: productById(id), quantity }));
}

function pieces() {
  return inCart().reduce((sum, { quantity }) => sum + quantity, 0);
}

// In cents on the way: 3 × 18.5 and the like must not end in …0000001.
function total() {
  return (
    inCart().reduce((cents, { product, quantity }) => cents + Math.round(product.price * 100) * quantity, 0) /
    100
  );
}

function changed() {
  localStorage.setItem(KEPT_AS, JSON.stringify([...lines]));
  render();
}

function render() {
  const empty = lines.size === 0;
  find('.cart-lines').replaceChildren(...inCart().map(lineOf));
  find('.cart-empty').hidden = !empty || find('#thanks').textContent !== '';
  find('.cart-foot').hidden = empty;
  setText(find('#cart-count'), String(pieces()));
  setText(find('#total'), money(total()));
}

function lineOf({ product, quantity }) {
  const label = `Remove ${product.name} from the cart`;
  const remove = element('button', { type: 'button', class: 'remove', 'aria-label': label }, 'Remove');
  remove.addEventListener('click', () => removeFromCart(product));
  return element(
    'li',
    {},
    element('span', { class: 'small' }, `${quantity} ×`),
    element('span', { class: 'what' }, product.name),
    element('b', {}, money(product.price * quantity)),
    remove,
  );
}

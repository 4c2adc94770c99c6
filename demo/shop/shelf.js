import { element, find } from '../../dist/modules/ui/dom.js';
import { track } from './calls.js';
import { addToCart } from './cart.js';
import { CATEGORIES, CURRENCY, matching, money, PRODUCTS } from './products.js';
import { isWished, toggleWish } from './wishlist.js';

const SVG = 'http://www.w3.org/2000/svg';
const query = find('#query');
let category = 'All';

/** The shelf, its categories and its search. */
export function startShelf() {
  find('.shelf').append(...PRODUCTS.map(cardOf));
  find('.categories').append(...CATEGORIES.map(categoryButton));
  query.addEventListener('input', show);
  find('#search').addEventListener('submit', (event) => {
    event.preventDefault();
    search();
  });
  show();
}

function search() {
  if (query.value.trim() === '') return;
  void track('Searched', { Query: query.value.trim(), Results: matching(query.value, category).length });
}

function categoryButton(name) {
  const button = element('button', { type: 'button', 'data-category': name }, name);
  button.addEventListener('click', () => {
    category = name;
    show();
    void track('Category Viewed', {
      Category: name,
      Products: matching('', name).length,
      Currency: CURRENCY,
    });
  });
  return button;
}

function show() {
  const found = new Set(matching(query.value, category).map(({ id }) => String(id)));
  for (const card of find('.shelf').children) card.hidden = !found.has(card.dataset.product);
  for (const button of document.querySelectorAll('[data-category]'))
    button.setAttribute('aria-pressed', String(button.dataset.category === category));
  find('.nothing-found').hidden = found.size > 0;
}

function cardOf(product) {
  const label = `Add ${product.name} to the cart`;
  const add = element('button', { type: 'button', class: 'add primary', 'aria-label': label }, 'Add to cart');
  add.addEventListener('click', () => addToCart(product));

  const tile = element('div', { class: 'tile' }, artOf(product), wishButton(product));
  tile.style.setProperty('--tile', product.tile);
  return element(
    'li',
    { class: 'card', 'data-product': String(product.id) },
    tile,
    element('h2', {}, product.name),
    element('p', { class: 'small' }, product.category),
    element('div', { class: 'buy' }, element('b', {}, money(product.price)), add),
  );
}

function wishButton(product) {
  const button = element(
    'button',
    {
      type: 'button',
      class: 'wish',
      'aria-label': `Wishlist: ${product.name}`,
      'aria-pressed': String(isWished(product)),
    },
    '♥',
  );
  button.addEventListener('click', () => button.setAttribute('aria-pressed', String(toggleWish(product))));
  return button;
}

function artOf({ art }) {
  const svg = document.createElementNS(SVG, 'svg');
  svg.setAttribute('viewBox', '0 0 160 120');
  svg.setAttribute('aria-hidden', 'true');
  const use = document.createElementNS(SVG, 'use');
  use.setAttribute('href', `/products.svg#${art}`);
  svg.append(use);
  return svg;
}

export const CURRENCY = 'EUR';

/** What the shop sells. `art` is a symbol in products.svg; `tile` the colour behind it. */
export const PRODUCTS = [
  { id: 1337, name: 'Harbour mug', category: 'Kitchen', price: 18.5, art: 'mug', tile: '#f2a65a' },
  { id: 1338, name: 'Pine teapot', category: 'Kitchen', price: 64, art: 'teapot', tile: '#e8c9a0' },
  { id: 2041, name: 'Corner lamp', category: 'Desk', price: 89.9, art: 'lamp', tile: '#8fa8d8' },
  { id: 2042, name: 'Day book', category: 'Desk', price: 14, art: 'notebook', tile: '#f0b8b0' },
  { id: 3105, name: 'Shade fern', category: 'Home', price: 27, art: 'fern', tile: '#b9d8b4' },
  { id: 3106, name: 'Kitchen radio', category: 'Home', price: 119, art: 'radio', tile: '#a9d3d6' },
];

export const CATEGORIES = ['All', ...new Set(PRODUCTS.map(({ category }) => category))];
const format = new Intl.NumberFormat('en', { style: 'currency', currency: CURRENCY });

export function money(amount) {
  return format.format(amount);
}

export function productById(id) {
  return PRODUCTS.find((product) => product.id === id);
}

/** A product as the events about it describe it. */
export function described({ id, name, category, price }) {
  return { 'Product ID': id, Product: name, Category: category, Price: price, Currency: CURRENCY };
}

/** The products whose name or category has the words, of one category or of all. */
export function matching(words, category) {
  const wanted = words.trim().toLowerCase();
  return PRODUCTS.filter(
    (product) =>
      (category === 'All' || product.category === category) &&
      `${product.name} ${product.category}`.toLowerCase().includes(wanted),
  );
}

import { track } from './calls.js';
import { described } from './products.js';

const KEPT_AS = 'demo-wishlist';
const wished = new Set(JSON.parse(localStorage.getItem(KEPT_AS) ?? '[]'));

export function isWished({ id }) {
  return wished.has(id);
}

/** Puts a product on the wishlist, or takes it off; answers whether it is on it now. */
export function toggleWish(product) {
  const wish = !wished.delete(product.id);
  if (wish) wished.add(product.id);
  localStorage.setItem(KEPT_AS, JSON.stringify([...wished]));
  void track(wish ? 'Added to Wishlist' : 'Removed from Wishlist', described(product));
  return wish;
}

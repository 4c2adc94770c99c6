'use client';

import { useEffect } from 'react';
import { createTracker, type Tracker } from 'webengage-relay';
import { trackPageViews } from 'webengage-relay/page-views';

type ShopEvents = { 'Added to Cart': { 'Product ID': number; Price: number } };

let tracker: Tracker<ShopEvents> | undefined;

/** The page's one tracker, made in the browser: for effects and event handlers, which a server does not run. */
function pageTracker(): Tracker<ShopEvents> {
  if (tracker === undefined) {
    tracker = createTracker<ShopEvents>({ endpoint: 'http://localhost:8787' });
    trackPageViews(tracker);
  }
  return tracker;
}

/** Tracks page views. Belongs in the root layout. */
export function PageViews() {
  useEffect(() => void pageTracker(), []);
  return null;
}

export function LogIn() {
  const logIn = () => pageTracker().identify('johndoe', { email: 'john@doe.com' });
  return (
    <button type="button" onClick={logIn}>
      Log in
    </button>
  );
}

export function AddToCart({ id, price }: { id: number; price: number }) {
  const addToCart = () => pageTracker().track('Added to Cart', { 'Product ID': id, Price: price });
  return (
    <button type="button" onClick={addToCart}>
      Add to cart
    </button>
  );
}

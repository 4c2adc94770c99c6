const { webengageRelay } = globalThis;

/** Does what a button is for, on the pages that have it. */
const on = (id, act) => document.getElementById(id)?.addEventListener('click', act);

// The visitor's choice, asked for once and kept for the next page.
function follow(choice) {
  document.getElementById('consent').hidden = choice !== null;
  if (choice === 'allow') webengageRelay.optIn();
  if (choice === 'refuse') webengageRelay.optOut();
}

for (const choice of ['allow', 'refuse'])
  on(choice, () => {
    localStorage.setItem('consent', choice);
    follow(choice);
  });
follow(localStorage.getItem('consent'));

on('add-to-cart', () => webengageRelay.track('Added to Cart', { 'Product ID': 1337, Price: 39.8 }));
on('log-in', () => webengageRelay.identify('johndoe', { email: 'john@doe.com' }));

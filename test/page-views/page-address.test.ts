import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { toldAddress } from '../../src/page-views/page-address.ts';

describe('of an address is told', () => {
  test('where it is, without its query and its hash', () => {
    expect(toldAddress('https://shop.example.com/cart?email=j%40example.com#access_token=x', {})).toEqual({
      url: 'https://shop.example.com/cart',
      path: '/cart',
      campaign: {},
    });
  });

  test('the campaign that led to it, by the first of each parameter that says something', () => {
    const { url, campaign } = toldAddress(
      'https://shop.example.com/?utm_source=mail&utm_source=other&utm_campaign=May%20sale&gclid=x1&utm_term=&utm_own=1&q=shoes',
      {},
    );

    expect(url).toBe('https://shop.example.com/');
    expect(campaign).toEqual({ utm_source: 'mail', utm_campaign: 'May sale', gclid: 'x1' });
  });

  test('a parameter under a name that objects inherit, where the site names it', () => {
    const campaign = ['constructor', 'ref'];

    expect(toldAddress('https://shop.example.com/?ref=x&constructor=y', { campaign }).campaign).toEqual({
      ref: 'x',
      constructor: 'y',
    });
  });

  test('the parameters that the site names, and no others', () => {
    const { url, path, campaign } = toldAddress('https://shop.example.com/s?q=shoes&page=2&ref=x&utm_id=9', {
      query: ['page', 'q'],
      campaign: ['ref'],
    });

    expect(url).toBe('https://shop.example.com/s?q=shoes&page=2');
    expect(path).toBe('/s');
    expect(campaign).toEqual({ ref: 'x' });
  });

  test.each([
    ['#/products/1?token=x', '#/products/1'],
    ['#!/products/1', '#!/products/1'],
    ['#reviews', ''],
    ['#access_token=x', ''],
    ['', ''],
  ])('of %s, where a site routes by the hash, "%s"', (hash, told) => {
    expect(toldAddress(`https://shop.example.com/app${hash}`, { hashRoutes: true })).toMatchObject({
      url: `https://shop.example.com/app${told}`,
      path: `/app${told}`,
    });
  });

  test('what the site’s own rule has left, also of its campaign', () => {
    const redact = (address: URL) => {
      address.pathname = address.pathname.replace(/^\/users\/[^/]+/, '/users/:id');
      address.searchParams.delete('utm_term');
    };

    expect(
      toldAddress('https://shop.example.com/users/j@example.com/orders?utm_term=j&utm_id=1', { redact }),
    ).toEqual({
      url: 'https://shop.example.com/users/:id/orders',
      path: '/users/:id/orders',
      campaign: { utm_id: '1' },
    });
  });

  test('no name and no password', () => {
    expect(toldAddress('https://john:secret@shop.example.com/', {}).url).toBe('https://shop.example.com/');
  });

  test('the address of an app that has sent the visitor', () => {
    expect(toldAddress('android-app://com.example.mail/?to=j', {}).url).toBe(
      'android-app://com.example.mail/',
    );
  });
});

test('nothing is told of any query and hash but what is named', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (href) => {
      const { origin, pathname } = new URL(href);

      expect(toldAddress(href, {})).toEqual({ url: origin + pathname, path: pathname, campaign: {} });
    }),
  );
}, 30_000);

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { reportableAddress } from '../../src/page-views/page-address.ts';

describe('the reported address', () => {
  test('is the page’s, without its query and hash', () => {
    expect(
      reportableAddress('https://shop.example.com/cart?email=j%40example.com#access_token=x', {}),
    ).toEqual({
      url: 'https://shop.example.com/cart',
      path: '/cart',
      campaign: {},
    });
  });

  test('includes the campaign, from the first value of each parameter that is not empty', () => {
    const { url, campaign } = reportableAddress(
      'https://shop.example.com/?utm_source=mail&utm_source=other&utm_campaign=May%20sale&gclid=x1&utm_term=&utm_own=1&q=shoes',
      {},
    );

    expect(url).toBe('https://shop.example.com/');
    expect(campaign).toEqual({ utm_source: 'mail', utm_campaign: 'May sale', gclid: 'x1' });
  });

  test('includes a parameter named like a member of every object, if the site names it', () => {
    const campaign = ['constructor', 'ref'];

    expect(reportableAddress('https://shop.example.com/?ref=x&constructor=y', { campaign }).campaign).toEqual(
      {
        ref: 'x',
        constructor: 'y',
      },
    );
  });

  test('includes exactly the parameters that the site names', () => {
    const { url, path, campaign } = reportableAddress(
      'https://shop.example.com/s?q=shoes&page=2&ref=x&utm_id=9',
      {
        query: ['page', 'q'],
        campaign: ['ref'],
      },
    );

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
  ])('of %s, with hash routes, is "%s"', (hash, expected) => {
    expect(reportableAddress(`https://shop.example.com/app${hash}`, { hashRoutes: true })).toMatchObject({
      url: `https://shop.example.com/app${expected}`,
      path: `/app${expected}`,
    });
  });

  test('is what the site’s own rule returns, also for the campaign', () => {
    const redact = (address: URL) => {
      address.pathname = address.pathname.replace(/^\/users\/[^/]+/, '/users/:id');
      address.searchParams.delete('utm_term');
    };

    expect(
      reportableAddress('https://shop.example.com/users/j@example.com/orders?utm_term=j&utm_id=1', {
        redact,
      }),
    ).toEqual({
      url: 'https://shop.example.com/users/:id/orders',
      path: '/users/:id/orders',
      campaign: { utm_id: '1' },
    });
  });

  test('contains no name and no password', () => {
    expect(reportableAddress('https://john:secret@shop.example.com/', {}).url).toBe(
      'https://shop.example.com/',
    );
  });

  test('may be the address of an app that sent the visitor', () => {
    expect(reportableAddress('android-app://com.example.mail/?to=j', {}).url).toBe(
      'android-app://com.example.mail/',
    );
  });
});

test('no part of a query or hash is reported unless it is named', () => {
  fc.assert(
    fc.property(fc.webUrl({ withQueryParameters: true, withFragments: true }), (href) => {
      const { origin, pathname } = new URL(href);

      expect(reportableAddress(href, {})).toEqual({ url: origin + pathname, path: pathname, campaign: {} });
    }),
  );
}, 30_000);

import { createRelay } from 'webengage-relay/edge';
import page from './page.html';

export { Outbox, RateGate, RelayEntrypoint } from 'webengage-relay/edge';

const relay = createRelay();

export default {
  /** The site's own pages. Everything else is the relay's: `/v1/batch`, `/health`, `/admin/`. */
  fetch(request, env, ctx) {
    const { pathname } = new URL(request.url);
    if (pathname === '/' || pathname === '/mug')
      return new Response(page, { headers: { 'Content-Type': 'text/html;charset=utf-8' } });
    return relay.fetch(request, env, ctx);
  },
  scheduled: relay.scheduled,
};

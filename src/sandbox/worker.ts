import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { Account, type AccountSettings } from './account.ts';
import { parseControl } from './control.ts';
import { responseOf } from './response.ts';
import { parseSdkCall } from './sdk/sdk-call.ts';

type Env = AccountSettings & { readonly ACCOUNT: DurableObjectNamespace<Account> };

const LOCAL_PAGE = /^http:\/\/(localhost|127\.0\.0\.1)(:\d+)?$/;

const app = new Hono<{ Bindings: Env }>();

const account = (env: Env) => env.ACCOUNT.getByName('account');

// The two calls of WebEngage that the relay makes.
app.post('/v1/accounts/:license/:path{bulk-users|bulk-events}', async (c) => {
  const { license, path } = c.req.param();
  const reply = await account(c.env).call({
    license,
    path,
    authorization: c.req.header('Authorization') ?? '',
    requestId: c.req.header('x-request-id') ?? '',
    body: await c.req.text(),
  });
  if (reply.delayMs > 0) await scheduler.wait(reply.delayMs);
  return responseOf(reply);
});

// The privacy API, by which one user's data is read back or erased.
app.post('/v1/accounts/:license/opengdpr_requests', async (c) => {
  const reply = await account(c.env).privacyRequest({
    license: c.req.param('license'),
    path: 'opengdpr_requests',
    authorization: c.req.header('Authorization') ?? '',
    requestId: '',
    body: await c.req.text(),
  });
  return responseOf(reply);
});

// What only a sandbox has: a look inside, and faults on demand. Pages of this machine may, and no site that happens to be
// open beside them: who tries a page out signs in as somebody.
app.use(cors({ origin: (origin) => (LOCAL_PAGE.test(origin) ? origin : null) }));
app.get('/records', async (c) => c.json(await account(c.env).records()));
app.get('/calls', async (c) => c.json(await account(c.env).calls()));
app.get('/dropped', async (c) => c.json(await account(c.env).dropped()));
app.get('/counts', async (c) => c.json(await account(c.env).counts()));
app.get('/profiles', async (c) => c.json(await account(c.env).profiles()));
// From the simulated SDK, `/sdk.js`.
app.post('/sdk', async (c) => {
  const call = parseSdkCall(await c.req.text());
  if (call === undefined) return c.json({ error: 'the body must be a call of the SDK' }, 400);
  await account(c.env).hearSdk(call);
  return c.body(null, 204);
});
app.get('/control', async (c) => c.json(await account(c.env).control()));
app.post('/control', async (c) => {
  const parsed = parseControl(await c.req.text());
  if (!parsed.ok) return c.json({ error: parsed.message }, 400);
  return c.json(await account(c.env).setControl(parsed.control));
});
app.delete('/records', async (c) => {
  await account(c.env).empty();
  return c.body(null, 204);
});

export { Account };
export default app;

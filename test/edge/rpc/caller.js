import { WorkerEntrypoint } from 'cloudflare:workers';

/** Another Worker of the operator's: it calls the relay through a binding, and returns what it sees. */
export class Caller extends WorkerEntrypoint {
  async call(binding, method, ...given) {
    try {
      return { resolved: await this.env[binding][method](...given) };
    } catch (error) {
      const { name, message, code, retryable } = error;
      return { rejected: { isError: error instanceof Error, name, message, code, retryable } };
    }
  }

  /** Makes calls at the same time, and returns what `waitUntil` was given. */
  async together(binding, calls) {
    const promises = calls.map(([method, given]) => this.env[binding][method](given));
    for (const promise of promises) this.ctx.waitUntil(promise);
    return Promise.all(promises);
  }
}

export default { fetch: () => new Response('a shop') };

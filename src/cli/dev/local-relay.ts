import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { startWorker } from './local-worker.ts';

export type LocalRelayOptions = {
  /** `entry`: another file than the configuration's `main`. */
  readonly relay: { readonly config: string; readonly port: number; readonly entry?: string };
  readonly sandbox: { readonly config: string; readonly port: number };
  /** The sites that may send, as ALLOWED_ORIGINS has them. */
  readonly origins: string;
  /** Whether to make a SERVER_TOKEN. A project may have its own in `.dev.vars`. */
  readonly makesServerToken: boolean;
  /** Where the storage of both lies. */
  readonly storage: string;
  readonly signal?: AbortSignal;
  readonly onOutput?: (text: string) => void;
};

/** A relay on this machine, and the sandbox that it takes for WebEngage. */
export type LocalRelay = {
  readonly relayUrl: string;
  readonly sandboxUrl: string;
  /** Opens `/admin/`. */
  readonly adminToken: string;
  /** Lets servers and imports send. Undefined if none was made. */
  readonly serverToken: string | undefined;
  /** Resolves once one of the two has ended: to what it printed last. */
  readonly ended: Promise<string>;
  readonly stop: () => Promise<void>;
};

const LICENSE_CODE = '~sandbox';

/** Starts both; resolves once they answer. Where one does not start, none is left running. */
export async function startLocalRelay(options: LocalRelayOptions): Promise<LocalRelay> {
  const { relay, sandbox, origins, makesServerToken, storage, ...watched } = options;
  // Made anew at each start: whoever looks for it in the page will not find it there.
  const [apiKey, adminToken] = [secret(), secret()];
  const serverToken = makesServerToken ? secret() : undefined;
  const account = { WEBENGAGE_API_KEY: apiKey, WEBENGAGE_LICENSE_CODE: LICENSE_CODE };
  const starts = [
    startWorker({ ...sandbox, ...watched, vars: account, persistTo: join(storage, 'sandbox') }),
    startWorker({
      ...relay,
      ...watched,
      vars: {
        ...account,
        WEBENGAGE_HOST: `http://127.0.0.1:${sandbox.port}`,
        ALLOWED_ORIGINS: origins,
        ADMIN_TOKEN: adminToken,
        ...(serverToken !== undefined && { SERVER_TOKEN: serverToken }),
      },
      persistTo: join(storage, 'relay'),
    }),
  ];
  const workers = await Promise.all(starts).catch(async (error: unknown) => {
    for (const start of await Promise.allSettled(starts))
      if (start.status === 'fulfilled') await start.value.stop('SIGKILL');
    throw error;
  });
  return {
    relayUrl: `http://localhost:${relay.port}`,
    sandboxUrl: `http://localhost:${sandbox.port}`,
    adminToken,
    serverToken,
    ended: Promise.race(workers.map(({ ended }) => ended)),
    stop: async () => {
      await Promise.all(workers.map(({ stop }) => stop()));
    },
  };
}

const secret = (): string => randomBytes(24).toString('hex');

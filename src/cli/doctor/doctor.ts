import { isPrivate } from '../address.ts';
import type { ExitCode } from '../exit-code.ts';
import type { Package } from '../package.ts';
import { diagnose } from './diagnosis.ts';
import { lineOf } from './format-check.ts';
import type { DoctorOptions } from './options.ts';
import { probe } from './probe.ts';

type World = {
  readonly own: Package;
  readonly say: (line: string) => void;
  /** What is no result: never among what `--json` prints. */
  readonly complain: (line: string) => void;
  readonly colored: boolean;
  readonly env: Readonly<Record<string, string | undefined>>;
};

/** Looks at a relay that runs, and says what is right and what is wrong. */
export async function doctor(
  options: DoctorOptions,
  { own, say, complain, colored, env }: World,
): Promise<ExitCode> {
  const { url, origin, adminTokenEnv, json } = options;
  const adminToken = adminTokenEnv === undefined ? undefined : env[adminTokenEnv];
  if (adminTokenEnv !== undefined && !adminToken) {
    complain(`the variable ${adminTokenEnv} is not set`);
    return 2;
  }
  if (adminToken !== undefined && !isPrivate(url)) {
    complain('the ADMIN_TOKEN is only sent over https: use an https address');
    return 2;
  }

  const checks = diagnose(await probe(url, { origin, adminToken }), own);
  const ok = checks.every(({ verdict }) => verdict !== 'bad');
  if (json) say(JSON.stringify({ url, ok, checks }, null, 2));
  else for (const check of checks) say(lineOf(check, colored));
  return ok ? 0 : 1;
}

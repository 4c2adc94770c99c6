import { VERSION } from '../../contract/version.ts';
import type { RestorePreview, RestoreReport } from '../../edge/restore/report.ts';
import type { ExitCode } from '../exit-code.ts';
import { plain } from '../plain-text.ts';
import { tokenFor } from '../relay-token.ts';
import type { RestoreOptions } from './options.ts';

type World = {
  readonly say: (line: string) => void;
  readonly complain: (line: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
};

// The relay waits up to 15 seconds for calls in flight.
const TIMEOUT_MS = 60_000;

type Answered<Body> = { readonly ok: true; readonly body: Body } | { readonly ok: false };

/** Shows what a restore costs, restores, undoes or resumes. */
export async function restore(options: RestoreOptions, world: World): Promise<ExitCode> {
  const { relay, outbox, at, undo, resume, yes, adminTokenEnv } = options;
  const read = tokenFor(relay, 'the ADMIN_TOKEN', adminTokenEnv, world.env);
  if (!read.ok) {
    world.complain(read.message);
    return 2;
  }
  const ask = <Body>(path: string, body: object) =>
    post<Body>(`${relay}/admin${path}`, body, read.token, world);
  const from = adminTokenEnv === 'ADMIN_TOKEN' ? '' : ` --admin-token-env ${adminTokenEnv}`;
  const command = `npx webengage-relay restore --relay ${relay} --outbox ${outbox}${from}`;

  if (undo || resume) {
    const { ok } = await ask(undo ? '/restore/undo' : '/restore/resume', { outbox });
    if (ok)
      world.say(
        undo
          ? `${outbox} is as it was before the restore. It sends and stores again. Delete again whatever you have deleted on hold.`
          : `${outbox} sends and stores again.`,
      );
    return ok ? 0 : 1;
  }
  const shown = await ask<RestorePreview | RestoreReport>('/restore', { outbox, at, dryRun: true });
  if (!shown.ok) return 1;
  if (shown.body.onHold) {
    world.say(reportText(shown.body, command));
    if (yes) world.complain(`${outbox} is on hold for this restore: nothing more was restored`);
    return yes ? 1 : 0;
  }
  world.say(previewText(shown.body));
  if (!yes) {
    world.say('Nothing was changed. Add --yes to restore.');
    return 0;
  }
  const restored = await ask<RestoreReport>('/restore', { outbox, at, dryRun: false });
  if (!restored.ok) {
    world.complain(`repeat the command without --yes to see whether ${outbox} is on hold`);
    return 1;
  }
  world.say(`\n${reportText(restored.body, command)}`);
  return 0;
}

function previewText({ outbox, at, lostAtMost, sentTwiceAtMost }: RestorePreview): string {
  return [
    `A restore of ${outbox} to ${at} would`,
    `  lose at most         ${lostAtMost} records, accepted since and not sent yet`,
    `  send twice at most   ${sentTwiceAtMost ?? 'an unknown number of'} records, sent since`,
    'The second limit is far too high for a moment more than an hour ago. You see the real one before anything is sent.',
  ].join('\n');
}

function reportText(report: RestoreReport, command: string): string {
  const { outbox, at, records, deadLetters, lostAtMost, sentTwiceAtMost, underSameIdAtMost } = report;
  return [
    `${outbox} is as it was at ${at}, and on hold. It holds ${records} records and ${deadLetters} dead letters.`,
    ...(report.isNew
      ? [
          'Nothing was ever counted in it at that moment: it may not have existed. Undo the restore unless you know why.',
        ]
      : []),
    `  lost at most         ${lostAtMost} records`,
    `  sent twice at most   ${sentTwiceAtMost} records, ${underSameIdAtMost} of them at most under their first x-request-id`,
    `  forgotten            the ids of ${report.forgotten ?? 'an unknown number of'} records`,
    '',
    'Delete again whatever you have deleted since that moment. Then go on, or back:',
    `  ${command} --resume`,
    `  ${command} --undo`,
    ...(report.undoBookmark === null ? [] : [`The bookmark that undoes it: ${plain(report.undoBookmark)}`]),
  ].join('\n');
}

async function post<Body>(
  url: string,
  body: object,
  token: string,
  { complain }: World,
): Promise<Answered<Body>> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}`, 'User-Agent': `webengage-relay/${VERSION}` },
      body: JSON.stringify(body),
      // The token goes nowhere else.
      redirect: 'manual',
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
    const answer: unknown = await response.json().catch(() => undefined);
    if (response.status === 200) return { ok: true, body: answer as Body };
    const { message } = Object(Object(answer).error) as { readonly message?: unknown };
    const why =
      response.status === 404 ? 'the ADMIN_TOKEN is wrong, or this is no relay with this command' : message;
    complain(`the relay answered ${response.status}: ${plain(String(why ?? 'without a reason'))}`);
  } catch {
    complain('the relay did not answer');
  }
  return { ok: false };
}

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { hasPrometheus, promtool } from '../promtool.ts';

/** Runs tests of rules in promtool's own format. A Worker can't start a process, so it asks for it by a binding. */
export async function testRules(request: { readonly text: () => Promise<string> }): Promise<Response> {
  if (!hasPrometheus) return new Response('', { status: 501 });
  const folder = mkdtempSync(join(tmpdir(), 'webengage-relay-game-day-'));
  try {
    const tests = { rule_files: [resolve('ops/prometheus/rules.yml')], ...JSON.parse(await request.text()) };
    const file = join(folder, 'tests.yml');
    writeFileSync(file, JSON.stringify(tests));
    return Response.json(promtool(['test', 'rules', file]));
  } finally {
    rmSync(folder, { recursive: true });
  }
}

import { percentile } from '../percentile.ts';
import { rounded } from '../rounded.ts';
import type { Answer } from '../visitors.ts';

/** The answers, if all of them say that the batch is taken. Otherwise there is nothing to measure. */
export function mustBeTaken(answers: readonly Answer[]): readonly Answer[] {
  const refused = answers.find(({ status }) => status < 200 || status > 299);
  if (refused) throw new Error(`a batch was answered with ${refused.status}: there is nothing to measure`);
  return answers;
}

/** How long visitors waited for these answers. */
export function latency(answers: readonly Answer[]) {
  const taken = answers.map(({ ms }) => ms);
  return { 'p50 ms': rounded(percentile(taken, 50)), 'p99 ms': rounded(percentile(taken, 99)) };
}

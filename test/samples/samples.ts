import { readdirSync, readFileSync } from 'node:fs';
import { named, type Sample, samplesIn } from './markdown.ts';

// What is made of the declarations, and held against them as a whole by test/api.test.ts.
const GENERATED = 'docs/reference/api.md';

/** What users read. */
const DOCUMENTS = [
  'README.md',
  'SECURITY.md',
  ...readdirSync('docs', { recursive: true, encoding: 'utf8' }).map((name) => `docs/${name}`),
].filter((name) => name.endsWith('.md') && name !== GENERATED);

/** Every fenced block that users read. */
export const SAMPLES: readonly Sample[] = DOCUMENTS.flatMap((document) =>
  samplesIn(document, readFileSync(document, 'utf8')),
);

/**
 * One sample, to be run: `sample('docs/guides/migrating.md#from-segment ts')`.
 * The name is written out where it is asked for: by that `complete.test.ts` knows that the sample has a test.
 */
export function sample(name: string): Sample {
  return named(SAMPLES, name);
}

/** All samples of a language, to be run: `samplesOf('html')`. Written out as well. */
export function samplesOf(language: string): readonly Sample[] {
  return SAMPLES.filter((each) => each.language === language);
}

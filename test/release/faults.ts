/** What stands in the place of an address or a name that only a maintainer can fill in. */
const PLACEHOLDER = 'TO-BE-SET';

/** The files of a release that are looked at, as text. */
export type ReleaseFiles = {
  /** package.json. */
  readonly manifest: string;
  readonly changelog: string;
  /** Other files that may hold placeholders, by their paths. */
  readonly others: Readonly<Record<string, string>>;
};

const FIELDS = ['repository', 'homepage', 'bugs', 'author'] as const;

/** What keeps a release from being published, a line each, with what to do about it. */
export function releaseFaults({ manifest, changelog, others }: ReleaseFiles): readonly string[] {
  const fields: Readonly<Record<string, unknown>> = JSON.parse(manifest);
  const unset = FIELDS.filter((field) => {
    const text = JSON.stringify(fields[field] ?? PLACEHOLDER);
    return text.includes(PLACEHOLDER);
  });
  const open = Object.keys(others).filter((path) => others[path]?.includes(PLACEHOLDER));
  const heading = `## ${fields.version}`;
  const isInChangelog = changelog.split('\n').some((line) => line.trim() === heading);
  return [
    ...unset.map((field) => `package.json: set ${field}`),
    ...open.map((path) => `${path}: replace ${PLACEHOLDER}`),
    ...(isInChangelog ? [] : [`CHANGELOG.md: give the release a heading of its own, ${heading}`]),
  ];
}

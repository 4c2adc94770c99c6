/** A series and its value, as a text of either format has them. */
type ReadSample = {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
};

export type ReadExposition = {
  readonly types: ReadonlyMap<string, string>;
  readonly units: ReadonlyMap<string, string>;
  readonly help: ReadonlyMap<string, string>;
  readonly samples: readonly ReadSample[];
};

const SAMPLE = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-zA-Z_]\w*)="((?:[^"\\\n]|\\[\\n"])*)"(?:,|$)/y;

/** Reads both text formats of Prometheus by their grammar, and throws at what neither allows. */
export function readExposition(text: string): ReadExposition {
  const metadata = { TYPE: new Map(), UNIT: new Map(), HELP: new Map() } as const;
  const samples: ReadSample[] = [];
  for (const line of text.split('\n')) {
    const [, keyword = '', name = '', rest = ''] = /^# (TYPE|UNIT|HELP) (\S+) ?(.*)$/.exec(line) ?? [];
    if (line === '' || line === '# EOF') continue;
    if (keyword !== '') {
      const all = metadata[keyword as keyof typeof metadata];
      if (all.has(name)) throw new Error(`${name} has two lines ${keyword}`);
      all.set(name, keyword === 'HELP' ? unescaped(rest) : rest);
    } else samples.push(readSample(line));
  }
  return { types: metadata.TYPE, units: metadata.UNIT, help: metadata.HELP, samples };
}

function readSample(line: string): ReadSample {
  const [, name, inner = '', value] = SAMPLE.exec(line) ?? [];
  if (name === undefined || value === undefined) throw new Error(`not a sample: ${line}`);
  const labels: Record<string, string> = {};
  LABEL.lastIndex = 0;
  while (LABEL.lastIndex < inner.length) {
    const [, label, text] = LABEL.exec(inner) ?? [];
    if (label === undefined || text === undefined) throw new Error(`not labels: ${inner}`);
    labels[label] = unescaped(text);
  }
  return { name, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

const unescaped = (text: string) => text.replace(/\\(.)/g, (_, sign: string) => (sign === 'n' ? '\n' : sign));

/** The sum of all series of this name that have these labels. Undefined if no series matches. */
export function sumOf(
  { samples }: ReadExposition,
  name: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const found = samples.filter(
    (sample) =>
      sample.name === name &&
      Object.entries(labels).every(([label, text]) => (sample.labels[label] ?? '') === text),
  );
  return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
}

/** A fenced block of a document. */
export type Sample = {
  /** Where it is found though lines move: document, heading, language, and which it is where there are several. */
  readonly name: string;
  readonly document: string;
  /** The line of its fence. */
  readonly line: number;
  readonly language: string;
  /** What stands in it, without what it is indented by. */
  readonly text: string;
};

/** The anchor of a heading, as forges make it. */
export function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-');
}

// Any that there may be: one that is passed over would make text of code and code of text.
const FENCE = /^( *)(?:```|~~~)(.*)$/;

/** The samples of a document, in order. Throws where a block has no end. */
export function samplesIn(document: string, markdown: string): readonly Sample[] {
  const samples: Sample[] = [];
  const seen = new Map<string, number>();
  const lines = markdown.split('\n');
  let place = document;
  for (let at = 0; at < lines.length; at++) {
    const [, title] = /^#{2,} (.+)$/.exec(lines[at] ?? '') ?? [];
    if (title !== undefined) place = `${document}#${anchorOf(title)}`;
    const [, indent, language] = FENCE.exec(lines[at] ?? '') ?? [];
    if (indent === undefined || language === undefined) continue;

    const end = lines.indexOf(`${indent}\`\`\``, at + 1);
    if (end < 0) throw new Error(`${document}:${at + 1} begins a block that no line of \`\`\` ends`);
    const text = lines.slice(at + 1, end).map((line) => line.slice(indent.length));
    const kind = `${place} ${language}`;
    const nth = (seen.get(kind) ?? 0) + 1;
    seen.set(kind, nth);
    const name = nth === 1 ? kind : `${kind} ${nth}`;
    samples.push({ name, document, line: at + 1, language, text: `${text.join('\n')}\n` });
    at = end;
  }
  return samples;
}

/** The sample of that name, which whoever asks for it then runs. Throws where there is none: it has moved, or gone. */
export function named(samples: readonly Sample[], name: string): Sample {
  const found = samples.find((each) => each.name === name);
  if (found === undefined) {
    const [document] = name.split(/[# ]/);
    const there = samples.filter((each) => each.document === document).map((each) => `\n  ${each.name}`);
    throw new Error(`no sample is called ${name}; there are${there.join('') || ' none'}`);
  }
  return found;
}

/** The rows of all tables between a heading of any level and the next, as cells without their formatting. */
export function tableUnder(document: string, heading: string): string[][] {
  const [, section = ''] = `\n${document}`.split(new RegExp(`\\n#+ ${heading}\\n`));
  return rowsOf(section.split(/\n#+ /)[0] ?? '');
}

/** The rows of all tables in a text, without their heads. */
function rowsOf(text: string): string[][] {
  return text
    .split('\n\n')
    .flatMap((block) =>
      block
        .split('\n')
        .filter((line) => line.startsWith('|'))
        .slice(2),
    )
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim().replaceAll('`', '')),
    );
}

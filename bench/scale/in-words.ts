/** `1,234`. */
export function whole(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

/** A short form, with a unit from 10,000 on: `18 M`, `48.6 k`, `8`. */
export function short(value: number): string {
  if (value >= 1e6) return `${figures(value / 1e6)} M`;
  if (value >= 1e4) return `${figures(value / 1e3)} k`;
  return figures(value);
}

/** From seconds, such as `4.0 h`. */
export function lasting(seconds: number): string {
  if (seconds < 100) return `${whole(seconds)} s`;
  if (seconds < 100 * 60) return `${figures(seconds / 60)} min`;
  if (seconds < 72 * 3_600) return `${figures(seconds / 3_600)} h`;
  return `${figures(seconds / 86_400)} days`;
}

export function bytes(value: number): string {
  return value >= 1e9 ? `${figures(value / 1e9)} GB` : `${figures(value / 1e6)} MB`;
}

export function dollars(value: number): string {
  return value >= 10 ? whole(value) : value.toFixed(2);
}

/** A Markdown table with all columns aligned right. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), `|${head.map(() => '--:').join('|')}|`, ...rows.map(line)].join('\n');
}

function figures(value: number): string {
  if (value >= 100) return whole(value);
  const text = value >= 10 ? value.toFixed(1) : value.toFixed(value >= 1 ? 1 : 2);
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text;
}

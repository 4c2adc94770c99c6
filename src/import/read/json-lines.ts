import { type JsonText, MAX_ROW_BYTES, tooLong } from './table.ts';

/** Divides text into lines, and leaves out empty ones. */
export async function* jsonLines(
  text: AsyncIterable<Buffer>,
  name: string,
): AsyncGenerator<readonly JsonText[]> {
  let rest: string[] = [];
  let restLength = 0;
  let line = 1;
  for await (const chunk of text) {
    const group: JsonText[] = [];
    const parts = chunk.toString().split('\n');
    const last = parts.pop() ?? '';
    for (const part of parts) {
      const whole = rest.length === 0 ? part : rest.join('') + part;
      if (whole.trim() !== '') group.push({ line, text: whole });
      rest = [];
      restLength = 0;
      line += 1;
    }
    rest.push(last);
    restLength += last.length;
    if (restLength > MAX_ROW_BYTES) throw tooLong(name, line);
    if (group.length > 0) yield group;
  }
  const whole = rest.join('');
  if (whole.trim() !== '') yield [{ line, text: whole }];
}

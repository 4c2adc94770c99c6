/**
 * Puts each text between the markers of its name: `<!-- scale:begin price -->` and
 * `<!-- scale:end price -->`. The word before the colon tells readers what fills the place. Throws if a name
 * has no place, or a place has no name.
 */
export function fillPlaces(document: string, texts: Readonly<Record<string, string>>): string {
  const places = [...document.matchAll(/<!-- \w+:begin (\w+) -->/g)].map(([, name]) => name);
  const unplaced = Object.keys(texts).filter((name) => !places.includes(name));
  if (unplaced.length > 0) throw new RangeError(`no place for ${unplaced.join(', ')}`);
  return document.replace(
    /(<!-- (\w+):begin (\w+) -->\n).*?(<!-- \2:end \3 -->)/gs,
    (_, begin: string, _by: string, name: string, end: string) => {
      const text = texts[name];
      if (text === undefined) throw new RangeError(`nothing for the place ${name}`);
      return `${begin}${text}\n${end}`;
    },
  );
}

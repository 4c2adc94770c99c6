import { PERMISSIONS, type Wrapped } from './template.ts';

type Access = 'read' | 'write' | 'execute';

function unwrapped(value: Wrapped): unknown {
  switch (value.type) {
    case 1:
      return value.string;
    case 2:
      return value.listItem.map(unwrapped);
    case 3:
      return Object.fromEntries(
        value.mapKey.map((key, at) => {
          const inner = value.mapValue[at];
          return [unwrapped(key), inner && unwrapped(inner)];
        }),
      );
    case 8:
      return value.boolean;
  }
}

/** What the template declares, by the permission's name. */
export const DECLARED: ReadonlyMap<string, { readonly [param: string]: unknown }> = new Map(
  PERMISSIONS.map(({ instance: { key, param } }) => [
    key.publicId,
    Object.fromEntries(param.map((each) => [each.key, unwrapped(each.value)])),
  ]),
);

/** Throws where the template may not: as Google's runtime does, which calls the tag failed then. */
function need(isAllowed: unknown, what: string): void {
  if (isAllowed !== true) throw new Error(`the template has no permission for ${what}`);
}

const list = (permission: string, param: string): readonly unknown[] => {
  const found = DECLARED.get(permission)?.[param];
  return Array.isArray(found) ? found : [];
};

type Row = { readonly [name: string]: unknown };

const rows = (permission: string, param: string) => list(permission, param) as readonly Row[];

export function needGlobal(key: string, ...access: readonly Access[]): void {
  const row = rows('access_globals', 'keys').find((each) => each.key === key);
  for (const each of access) need(row?.[each], `${each} of window.${key}`);
}

// `https://*/tracker.js`: in the host a star is any host, in the path any text.
function matches(pattern: string, url: string): boolean {
  const [, host = '', path = ''] = /^https:\/\/([^/]+)(\/.*)$/.exec(pattern) ?? [];
  const source = (text: string, star: string) => text.replaceAll('.', '\\.').replaceAll('*', star);
  return new RegExp(`^https://${source(host, '[^/?#@]+')}${source(path, '.*')}$`).test(url);
}

export function needScript(url: string): void {
  need(
    list('inject_script', 'urls').some((pattern) => matches(String(pattern), url)),
    `the script ${url}`,
  );
}

export function needConsent(type: string): void {
  need(
    rows('access_consent', 'consentTypes').find((each) => each.consentType === type)?.read,
    `consent ${type}`,
  );
}

export function needDataLayer(key: string): void {
  need(list('read_data_layer', 'keyPatterns').includes(key), `the data layer’s ${key}`);
}

/** A part of the page's address or of the referrer's; all of it without a part. */
export function needAddress(permission: 'get_url' | 'get_referrer', part: string | undefined): void {
  const declared = DECLARED.get(permission);
  need(
    declared?.urlParts === 'any' || (part !== undefined && declared?.[part] === true),
    `${permission} ${part}`,
  );
}

export function needQuery(name: string): void {
  needAddress('get_url', 'query');
  need(list('get_url', 'queryKeys').includes(name), `the parameter ${name}`);
}

export function needPermission(name: string): void {
  need(DECLARED.has(name), name);
}

import { throughWall } from './boundary.ts';
import {
  needAddress,
  needConsent,
  needDataLayer,
  needGlobal,
  needPermission,
  needQuery,
  needScript,
} from './permissions.ts';
import { SCRIPT } from './template.ts';

type Listener = (type: string, granted: boolean) => void;
type Api = (...given: never[]) => unknown;
type Holder = { [name: string]: unknown };

/** A page that a container runs on, as far as the tag can see it. */
export type GtmPage = {
  readonly window: Holder;
  readonly dataLayer: Holder;
  readonly url: string;
  readonly referrer: string;
  readonly title: string;
  /** Script elements, in their order. None loads until a test says so. */
  readonly scripts: { readonly url: string; readonly loaded: () => void; readonly blocked: () => void }[];
  readonly logged: string[];
  /** Runs a tag with these values of its form. */
  readonly fire: (data: object) => Ending;
  /** The visitor's choice in Consent Mode. */
  readonly setConsent: (type: string, granted: boolean) => void;
};

/** How often a tag has said that it is done, or that it has failed. */
type Ending = { succeeded: number; failed: number };

const run = new Function('require', 'data', `'use strict';\n${SCRIPT}`) as (
  require: (name: string) => unknown,
  data: object,
) => void;

type Given = Partial<Pick<GtmPage, 'window' | 'dataLayer' | 'url' | 'referrer' | 'title'>>;

/**
 * Stand-ins for the APIs of Google Tag Manager, made after its documents: this is not Google's runtime. A call that the
 * template has declared no permission for throws. https://developers.google.com/tag-platform/tag-manager/templates/api
 */
export function gtmPage({
  window = {},
  dataLayer = {},
  url = 'https://shop.example.com/cart?utm_source=mail&token=secret#top',
  referrer = '',
  title = 'A shop',
}: Given = {}): GtmPage {
  const scripts: GtmPage['scripts'] = [];
  const logged: string[] = [];
  const kept: Holder = {};
  const consent = new Map<string, boolean>();
  const listeners: (readonly [type: string, listener: Listener])[] = [];
  const loads = new Map<string, GtmPage['scripts'][number]>();

  /** The object that a path ends in, and its last name. */
  function place(path: string): readonly [holder: Holder | undefined, name: string] {
    const names = path.split('.');
    const name = names.pop() ?? '';
    let holder: unknown = window;
    for (const each of names) holder = (holder as Holder | undefined)?.[each];
    return [holder as Holder | undefined, name];
  }

  const partOf = (address: string, part: string): string => {
    if (address === '') return '';
    const { protocol, hostname, port, pathname } = new URL(address);
    const usual = protocol === 'https:' ? '443' : '80';
    return (
      { protocol: protocol.replace(':', ''), host: hostname, port: port || usual, path: pathname }[part] ?? ''
    );
  };

  const apis: { readonly [name: string]: Api | object } = {
    Object: { keys: (value: object) => Object.keys(value) },
    addConsentListener: (type: string, listener: Listener) => {
      needConsent(type);
      listeners.push([type, listener]);
    },
    callInWindow: (path: string, ...given: unknown[]) => {
      needGlobal(path, 'execute');
      const [holder, name] = place(path);
      const method = holder?.[name];
      if (typeof method !== 'function') throw new Error(`window.${path} is not a function`);
      return throughWall(method.apply(holder, given.map(throughWall)));
    },
    copyFromDataLayer: (key: string) => {
      needDataLayer(key);
      return throughWall(dataLayer[key]);
    },
    copyFromWindow: (path: string) => {
      needGlobal(path, 'read');
      const [holder, name] = place(path);
      return throughWall(holder?.[name]);
    },
    createQueue: (path: string) => {
      needGlobal(path, 'read', 'write');
      const [holder, name] = place(path);
      if (!holder) throw new Error(`window.${path} has no place`);
      holder[name] ??= [];
      const queue = holder[name] as unknown[];
      return (...items: unknown[]) => queue.push(...items.map(throughWall));
    },
    encodeUriComponent: (text: unknown) => {
      try {
        return encodeURIComponent(String(text));
      } catch {
        return undefined;
      }
    },
    getQueryParameters: (name: string) => {
      needQuery(name);
      return new URL(url).searchParams.get(name) ?? undefined;
    },
    getReferrerUrl: (part?: string) => {
      needAddress('get_referrer', part);
      return part === undefined ? referrer : partOf(referrer, part);
    },
    getTimestampMillis: () => Date.now(),
    getType: (value: unknown) => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value),
    getUrl: (part?: string) => {
      needAddress('get_url', part);
      return part === undefined ? url : partOf(url, part);
    },
    injectScript: (address: string, onSuccess: () => void, onFailure: () => void, token?: string) => {
      needScript(address);
      const first = token === undefined ? undefined : loads.get(token);
      const script = {
        url: address,
        loaded: () => {
          first?.loaded();
          onSuccess();
        },
        blocked: () => {
          first?.blocked();
          onFailure();
        },
      };
      if (token !== undefined) loads.set(token, script);
      if (first) scripts.splice(scripts.indexOf(first), 1, script);
      else scripts.push(script);
    },
    // A type without a state counts as granted: so Google's documents say.
    isConsentGranted: (type: string) => {
      needConsent(type);
      return consent.get(type) ?? true;
    },
    logToConsole: (message: string) => {
      needPermission('logging');
      logged.push(message);
    },
    makeNumber: (value: unknown) => Number(value),
    makeString: (value: unknown) => String(value),
    readTitle: () => {
      needPermission('read_title');
      return title;
    },
    setInWindow: (path: string, value: unknown, overrideExisting = false) => {
      needGlobal(path, 'read', 'write');
      const [holder, name] = place(path);
      if (!holder || (!overrideExisting && holder[name] !== undefined)) return false;
      holder[name] = throughWall(value);
      return true;
    },
    templateStorage: {
      getItem: (key: string) => {
        needPermission('access_template_storage');
        return kept[key] ?? null;
      },
      setItem: (key: string, value: unknown) => {
        needPermission('access_template_storage');
        kept[key] = value;
      },
    },
  };

  return {
    window,
    dataLayer,
    url,
    referrer,
    title,
    scripts,
    logged,
    fire(data) {
      const ending: Ending = { succeeded: 0, failed: 0 };
      const require = (name: string) => {
        const api = apis[name];
        if (api === undefined) throw new Error(`${name} has no stand-in`);
        return api;
      };
      const gtmOnSuccess = () => {
        ending.succeeded += 1;
      };
      const gtmOnFailure = () => {
        ending.failed += 1;
      };
      run(require, { ...data, gtmOnSuccess, gtmOnFailure });
      return ending;
    },
    setConsent(type, granted) {
      const before = consent.get(type) ?? true;
      consent.set(type, granted);
      if (before !== granted)
        for (const [listenedTo, listener] of listeners) if (listenedTo === type) listener(type, granted);
    },
  };
}

export type EngineName = 'chromium' | 'firefox' | 'webkit';

/** What runs in the page: serialised, so it sees its argument and the page, and nothing of this file's. */
export type InPage<Argument, Result> = (argument: Argument) => Result | Promise<Result>;

/** One tab of an open browser. */
export type Tab = {
  readonly goto: (url: string) => Promise<void>;
  readonly evaluate: <Argument, Result>(run: InPage<Argument, Result>, argument: Argument) => Promise<Result>;
  /** Takes the network from the page, and gives it back. Missing where the engine's driver can't. */
  readonly setOffline?: (offline: boolean) => Promise<void>;
  /** As a visitor closes it: the page is told, and asked nothing. */
  readonly close: () => Promise<void>;
};

/** A browser on a profile of its own. */
export type OpenBrowser = {
  readonly openTab: (url: string) => Promise<Tab>;
  /** As a visitor closes it. */
  readonly close: () => Promise<void>;
  /** Its processes, now: what is to be killed at a moment must be known before it. */
  readonly processes: () => readonly number[];
  /** To be called after its processes were killed: gives up what was held for them. */
  readonly buried: () => Promise<void>;
};

/** A browser engine as these scenarios use it. */
export type Engine = {
  readonly name: EngineName;
  /** Opens it on a profile, a folder that may be new. What lies there outlives the browser. */
  readonly open: (profile: string) => Promise<OpenBrowser>;
};

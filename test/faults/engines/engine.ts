export type EngineName = 'chromium' | 'firefox' | 'webkit';

/** What runs in the page: serialised, so it sees its argument and the page, and nothing of this file's. */
export type InPage<Argument, Result> = (argument: Argument) => Result | Promise<Result>;

/** One tab of an open browser. What an engine's driver can't do is missing. */
export type Tab = {
  readonly goto: (url: string) => Promise<void>;
  readonly evaluate: <Argument, Result>(run: InPage<Argument, Result>, argument: Argument) => Promise<Result>;
  /** As a visitor closes it: the page gets its events, and is not asked. */
  readonly close: () => Promise<void>;
  /** Takes the network from the page, and gives it back. */
  readonly setOffline?: (offline: boolean) => Promise<void>;
  /** Ends the page's process in the midst of whatever it does. The tab is of no use any more. */
  readonly crash?: () => Promise<void>;
  /** Stops all that the page runs, as a browser does with tabs long unseen, and lets it go on. */
  readonly setFrozen?: (frozen: boolean) => Promise<void>;
  /** From now on requests to this address fail in the browser itself, or not any more. */
  readonly block?: (url: string, how: BlockedHow | undefined) => Promise<void>;
};

/** By an extension, or by a name that nobody knows. */
export type BlockedHow = 'blocked' | 'unknown name';

export type OpenOptions = {
  /** A private window: what its pages store ends with it. */
  readonly isPrivate?: boolean;
};

/** A browser on a profile of its own. */
export type OpenBrowser = {
  readonly openTab: (url: string) => Promise<Tab>;
  /** As a visitor closes it. */
  readonly close: () => Promise<void>;
  /** Call it after the processes were killed: releases what was kept for them. */
  readonly afterKill: () => Promise<void>;
};

/** A browser engine as these scenarios use it. */
export type Engine = {
  readonly name: EngineName;
  /** What to install where it is missing; undefined where it is there. */
  readonly missing: () => string | undefined;
  /**
   * Opens it on a profile, a folder that may be new. What lies there outlives the browser.
   * Every process has the folder's name in its command line, or is under one that has.
   */
  readonly open: (profile: string, options?: OpenOptions) => Promise<OpenBrowser>;
};

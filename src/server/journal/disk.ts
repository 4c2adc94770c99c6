/** A folder that belongs to one journal. The text of a file is UTF-8. */
export type JournalDisk = {
  readonly list: () => Promise<readonly string[]>;
  readonly read: (name: string) => Promise<string>;
  /** Makes a new file, whose name is on disk when the promise resolves. Rejects if there is one of this name. */
  readonly create: (name: string) => Promise<JournalFile>;
  /** Removes a file, if it is there. */
  readonly remove: (name: string) => Promise<void>;
};

/** A file that is appended to. */
export type JournalFile = {
  readonly append: (text: string) => Promise<void>;
  /** Resolves when all that was appended is on disk. */
  readonly sync: () => Promise<void>;
  /** Cuts the file to its first bytes. */
  readonly truncate: (bytes: number) => Promise<void>;
  readonly close: () => Promise<void>;
};

/** A process, as the lock of a journal names it. */
export type Holder = {
  readonly pid: number;
  /** When it was started, in whole milliseconds since 1970: a number can be given to a later process too. */
  readonly startedAt: number;
  /** Which start of the machine it belongs to. Empty where that is not known. */
  readonly boot: string;
  readonly host: string;
};

/** This process, and what it knows of others on its machine. */
export type Self = Holder & { readonly isRunning: (pid: number) => boolean };

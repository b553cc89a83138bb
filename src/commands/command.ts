/** What a progress bar is told; a bar is shown only on a terminal, and only after a second. */
export interface Progress {
  /** `done` of `total` units (bytes, cells, runs); `note` stands behind the bar. */
  update(done: number, total: number, note?: string): void;
  stop(): void;
}

/** What the command line lends to a command: everything that talks to the person. */
export interface Context {
  /** Open a progress bar; `label` says what is counted. */
  progress(label: string): Progress;
  /** Say something beside the result (a warning, a hint); goes to stderr. */
  note(line: string): void;
}

/** What a command gives back; cli.ts prints one of its forms. */
export interface Answer {
  /** Stable, documented shape; printed by --json. */
  readonly json: unknown;
  /** At most 72 columns of 7-bit ASCII; printed by default and by --text. */
  readonly text: string;
  /** Rows for --csv, where the command has a table. */
  readonly csv?: string;
  /** Exit status; 0 when left out. */
  readonly status?: number;
}

/** Options as commander hands them over: camelCase names. */
export type Options = Readonly<Record<string, unknown>>;

/** One command: a file in commands/, a line in commands/index.ts. */
export interface Command {
  /** Arguments in commander's syntax: '<trace>', '<files...>', '[name]'. */
  readonly args: string;
  /** One line for the list of commands. */
  readonly about: string;
  /** [flags, meaning, default] in commander's syntax; --json, --text and --csv are added by cli.ts. */
  readonly options?: readonly (readonly [flags: string, meaning: string, preset?: string])[];
  /** Commands under this one: `ptlab kernel install`. A command with these has no run of its own. */
  readonly sub?: Readonly<Record<string, Command>>;
  /** At least one line that works as it stands. */
  readonly examples: readonly string[];
  readonly run?: (args: readonly string[], options: Options, context: Context) => Promise<Answer>;
}

/** An error a person can act on: printed without a stack trace, exit status 1. */
export class UserError extends Error {}

/**
 * The member of `list` called `name`.
 * @throws UserError naming the known ones.
 */
export function byName<T>(what: string, list: Readonly<Record<string, T>>, name: string): T {
  if (Object.hasOwn(list, name)) return list[name] as T;
  const known = Object.keys(list).join(', ');
  throw new UserError(`unknown ${what} '${name}'. Known: ${known}`);
}

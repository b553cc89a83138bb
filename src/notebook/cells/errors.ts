// Errors as a reader of the notebook wants them: in lines of the cell, without our own frames.
import { inspect } from 'node:util';
import type { CellError } from '../frames.js';
import type { Where } from './compiler.js';

/** A cell that was run: its source, and the way back to it from the code made of it. */
export interface Ran {
  readonly label: string;
  readonly source: string;
  readonly where: Where;
}

const cells = new Map<string, Ran>();
const keptCells = 2000;

/** Remember a cell for the traces of errors to come. */
export function remember(ran: Ran): void {
  cells.set(ran.label, ran);
  const [oldest] = cells.keys();
  if (cells.size > keptCells && oldest !== undefined) cells.delete(oldest);
}

/** The name under which the code of a cell runs. */
export const fileOf = (label: string): string => `ptlab-cell-${label}`;

const fileName = /^ptlab-cell-[\w.-]+:\d+$/;
const position = /ptlab-cell-([\w.-]+?):(\d+)(?::(\d+))?/g;
const ours = /^\s+at .*(\(|\s)(node:|.*[\\/](tslab[\\/]dist|dist[\\/]notebook[\\/]cells)[\\/])/;

/** A line of a stack in lines of cells; null if it is of code that was put around a cell. */
function translate(line: string): string | null {
  let around = false;
  const text = line.replace(position, (_, label: string, l: string, c = '1') => {
    const ran = cells.get(label);
    const at = ran?.where(Number(l), Number(c));
    around ||= ran !== undefined && !at;
    return at ? `cell ${label}, line ${at.line}, column ${at.column}` : `cell ${label}`;
  });
  if (around && /^\s+at /.test(line)) return null;
  return text.replace(/^(\s+at )Proxy\.(?=.*\(cell )/, '$1'); // tslab calls through its exports
}

/** The line of the cell where it happened, with its neighbours. */
function excerpt(lines: readonly string[]): string[] {
  const at = lines.map((l) => /cell ([\w.-]+), line (\d+)/.exec(l)).find((m) => m !== null);
  const source = at && cells.get(at[1] ?? '')?.source.split('\n');
  if (!at || !source) return [];
  const line = Number(at[2]);
  const shown = [line - 1, line, line + 1].filter((n) => n >= 1 && n <= source.length);
  const wide = String(line + 1).length;
  return [
    `cell ${at[1]}, line ${line}`,
    ...shown.map((n) => `${n === line ? '>' : ' '} ${String(n).padStart(wide)} | ${source[n - 1]}`),
    '',
  ];
}

/** Node puts the line of the code that ran, and a caret, before some stacks: that is not the cell. */
function withoutCaret(lines: readonly string[]): readonly string[] {
  const caret = lines.findIndex((l) => /^\s*\^+\s*$/.test(l));
  const decorated = caret >= 2 && caret <= 3 && fileName.test(lines[0] ?? '');
  return decorated ? lines.slice(caret + 2) : lines;
}

const nameOf = (e: Error): string =>
  typeof e.name === 'string' && e.name !== '' ? e.name : (e.constructor?.name ?? 'Error');

const isError = (e: unknown): e is Error =>
  e instanceof Error || Object.prototype.toString.call(e) === '[object Error]';

/** inspect(), which code of the cell can make throw. */
export function inspectSafely(value: unknown): string {
  try {
    return inspect(value);
  } catch (e) {
    return `[a value that cannot be shown: ${isError(e) ? e.message : 'inspect failed'}]`;
  }
}

/** A thrown value as Jupyter's `error` wants it. */
export function describe(thrown: unknown): CellError {
  if (!isError(thrown)) {
    const evalue = inspectSafely(thrown);
    const ename = `Thrown ${thrown === null ? 'null' : typeof thrown}`;
    return { ename, evalue, traceback: [`${ename}: ${evalue}`] };
  }
  const lines = withoutCaret(inspectSafely(thrown).split('\n'))
    .filter((l) => !ours.test(l))
    .map(translate)
    .filter((l) => l !== null);
  const ename = nameOf(thrown);
  return { ename, evalue: String(thrown.message), traceback: [...excerpt(lines), ...lines] };
}

/** What the compiler has against a cell. */
export interface Complaint {
  readonly fileName?: string;
  readonly start: { readonly line: number; readonly character: number };
  readonly messageText: string;
}

/** The compiler's complaints about cell `label` as one error. */
export function compileError(label: string, source: string, all: readonly Complaint[]): CellError {
  remember({ label, source, where: () => null });
  const lines = all.map(({ fileName, start, messageText }) => {
    const where = fileName
      ? `${fileName}:${start.line + 1}`
      : `cell ${label}, line ${start.line + 1}`;
    return `${where}, column ${start.character + 1}: ${messageText}`;
  });
  const evalue = all.map((c) => c.messageText).join('; ');
  return { ename: 'CompileError', evalue, traceback: [...excerpt(lines), ...lines] };
}

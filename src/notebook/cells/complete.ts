// Is a cell whole? And positions, which Jupyter counts in characters and JavaScript in halves.
import type * as TS from 'typescript50';

/** Content of an is_complete_reply. */
export type Completeness =
  | { status: 'complete' | 'invalid' | 'unknown' }
  | { status: 'incomplete'; indent: string };

type Parsed = TS.SourceFile & { parseDiagnostics?: readonly TS.DiagnosticWithLocation[] };

/** Unterminated template, unterminated comment: more lines can end them. */
const openEnded = new Set([1160, 1010]);

/** The indent a next line should have: that of the last, and two more after an open bracket. */
function indentAfter(code: string): string {
  const line = code.slice(code.lastIndexOf('\n') + 1);
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  const bare = line.replace(/\/\/.*$/, '').trimEnd();
  return /[{([]$|=>$/.test(bare) ? `${indent}  ` : indent;
}

/** Whether `code` can run as it stands, needs more lines, or can never run. */
export function completeness(ts: typeof TS, code: string): Completeness {
  const { ES2022 } = ts.ScriptTarget;
  const file: Parsed = ts.createSourceFile('cell.ts', code, ES2022, false, ts.ScriptKind.TS);
  const [first] = [...(file.parseDiagnostics ?? [])].sort((a, b) => a.start - b.start);
  if (!first) return { status: 'complete' };
  const atEnd = first.start >= code.trimEnd().length && first.code !== 1002;
  const incomplete = atEnd || openEnded.has(first.code);
  return incomplete ? { status: 'incomplete', indent: indentAfter(code) } : { status: 'invalid' };
}

/** The UTF-16 position of the character at `at`. */
export const toUtf16 = (text: string, at: number): number =>
  [...text].slice(0, Math.max(0, at)).join('').length;

/** The number of characters before UTF-16 position `at`. */
export const toCharacters = (text: string, at: number): number => [...text.slice(0, at)].length;

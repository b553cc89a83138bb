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

const question = /^\s*(?:\?([\w$.]+)|([\w$.]+)\?{1,2})\s*$/;

/** The name of `name?` or `?name`, which ask what a name is and are no TypeScript. */
export function askedName(code: string): string | undefined {
  const found = question.exec(code);
  return found?.[1] ?? found?.[2];
}

/**
 * Of `names`, those that go on where the cursor stands behind `typed`: that begin like it. What
 * only begins like it in other case, or holds it, counts where there is nothing better.
 */
export function fitting(names: readonly string[], typed: string): string[] {
  const low = typed.toLowerCase();
  const ways: ((n: string) => boolean)[] = [
    (n) => n.startsWith(typed),
    (n) => n.toLowerCase().startsWith(low),
    (n) => n.toLowerCase().includes(low),
  ];
  return ways.map((fits) => names.filter(fits)).find((some) => some.length > 0) ?? [];
}

/** Where the name of the function stands in whose arguments `at` is; undefined if in none. */
export function calleeAt(code: string, at: number): number | undefined {
  let open = 0;
  for (let i = at - 1; i > 0; i--) {
    if (code[i] === ')') open++;
    if (code[i] === '(' && open-- === 0) return i - 1;
  }
  return undefined;
}

/** Whether `code` can run as it stands, needs more lines, or can never run. */
export function completeness(ts: typeof TS, code: string): Completeness {
  if (askedName(code)) return { status: 'complete' };
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

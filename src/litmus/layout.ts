// Where the parts of a litmus file are: header, init block, table of instructions.
import type { Span } from './assemble.js';
import { fail, type SourceText } from './source.js';

/** Header: 'AArch64 name', then Key=value lines and text for people. Returns the name. */
export function readHeader(source: SourceText, to: number): string {
  const lines = source.text.slice(0, to).split('\n');
  let offset = 0;
  let name: string | undefined;
  for (const line of lines) {
    const text = line.trim();
    const at = offset + line.indexOf(text);
    offset += line.length + 1;
    if (text === '') continue;
    if (name === undefined) {
      const m = /^(\S+)\s+(.+)$/.exec(text);
      if (m?.[1] !== 'AArch64')
        fail(source, at, `expected 'AArch64 NAME', found '${text.slice(0, 40)}'`);
      name = m![2]!.replace(/^"(.*)"$/, '$1');
    } else if (/^variants?\s*=/i.test(text)) {
      fail(source, at, `'${text}': herd7 variants are not supported`);
    }
  }
  if (name === undefined) fail(source, 0, "expected 'AArch64 NAME' in the first line");
  return name as string;
}

/** Offsets of the init block's braces. */
export function findInit(source: SourceText): Span {
  const from = source.text.indexOf('{');
  if (from < 0) fail(source, source.text.length, 'there is no init block { ... }');
  let depth = 0;
  for (let i = from; i < source.text.length; i++) {
    if (source.text[i] === '{') depth++;
    if (source.text[i] === '}' && --depth === 0) return { from, to: i };
  }
  return fail(source, from, 'the init block { is never closed');
}

const closing = /\s*(locations\b|filter\b|exists\b|~\s*exists\b|forall\b|not\s+exists\b|$)/y;

/** The rows of the table of instructions, and where the conditions begin. */
export function readRows(source: SourceText, from: number): { rows: Span[][]; end: number } {
  const rows: Span[][] = [];
  for (let at = from; ; ) {
    closing.lastIndex = at;
    if (closing.test(source.text)) return { rows, end: at };
    const semicolon = source.text.indexOf(';', at);
    if (semicolon < 0) {
      const rest = at + /^\s*/.exec(source.text.slice(at))![0].length;
      fail(source, rest, "expected a row of instructions closed by ';', or a condition");
    }
    const row: Span[] = [];
    for (let cell = at; ; ) {
      const bar = source.text.indexOf('|', cell);
      const to = bar < 0 || bar > semicolon ? semicolon : bar;
      row.push({ from: cell, to });
      cell = to + 1;
      if (to === semicolon) break;
    }
    rows.push(row);
    at = semicolon + 1;
  }
}

// Where the parts of a litmus file are: header, init block, table of instructions.
import type { Span } from './assemble.js';
import { fail, type SourceText } from './source.js';

/**
 * Header: 'AArch64 NAME', perhaps with a description behind it, then Key=value lines and text for people. Returns the
 * name.
 */
export function readHeader(source: SourceText, to: number): string {
  const head = source.text.slice(0, to);
  const m = /^\s*(\w+)[ \t]+([\w./+[\]-]+)/.exec(head);
  const at = /^\s*/.exec(head)![0].length;
  if (!m)
    fail(source, at, `expected 'AArch64 NAME', found '${head.slice(at, at + 40).split('\n')[0]}'`);
  const [all, architecture, name] = m as unknown as [string, string, string];
  if (architecture !== 'AArch64')
    fail(source, at, `tests for '${architecture}' are not supported: expected 'AArch64 NAME'`);
  let offset = all.length;
  for (const line of head.slice(offset).split('\n')) {
    if (/^\s*variants?\s*=/i.test(line))
      fail(
        source,
        offset + line.search(/\S/),
        `'${line.trim()}': herd7 variants are not supported`,
      );
    offset += line.length + 1;
  }
  return name;
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

const closing =
  /\s*(locations\b|filter\b|(?:~\s*|not\s+)?exists\b|forall\b|final\b|observed\b|\(|$)/y;

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

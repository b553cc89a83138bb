import type { Cell, Instr, Program, Thread } from '../engines/memory/program.js';
import { assemble, registersOf, renumber, type Span } from './assemble.js';
import { condition, place, places } from './condition.js';
import { type Names, readInit } from './init.js';
import { findInit, readHeader, readRows } from './layout.js';
import {
  type Condition,
  type LitmusTest,
  type Place,
  type Quantifier,
  REGISTERS,
} from './model.js';
import {
  accept,
  blankComments,
  type Cursor,
  cursor,
  expect,
  fail,
  peek,
  type SourceText,
  wanted,
} from './source.js';

function readThreads(source: SourceText, rows: readonly Span[][]): Instr[][] {
  const [head, ...body] = rows;
  if (!head) fail(source, source.text.length, 'there is no table of instructions (P0 | P1 ;)');
  const columns = head as Span[];
  columns.forEach((s, i) => {
    const text = source.text.slice(s.from, s.to);
    const at = s.from + (text.length - text.trimStart().length);
    if (text.trim() !== `P${i}`) fail(source, at, `expected column P${i}, found '${text.trim()}'`);
  });
  for (const row of body)
    if (row.length > columns.length) fail(source, row[columns.length]!.from, 'one column too many');
  return columns.map((_, i) =>
    assemble(
      source,
      body.flatMap((row) => row[i] ?? []),
    ),
  );
}

interface Tail {
  readonly listed: Place[];
  readonly filter: Condition | undefined;
  readonly quantifier: Quantifier;
  readonly condition: Condition;
}

function quantifier(c: Cursor): Quantifier {
  if (accept(c, 'exists')) return 'exists';
  if (accept(c, 'forall')) return 'forall';
  if (!accept(c, '~') && !accept(c, 'not')) wanted(c, 'exists, ~exists or forall');
  expect(c, 'exists', "behind '~'");
  return '~exists';
}

function readTail(source: SourceText, from: number, names: Names, threads: number): Tail {
  const c = cursor(source, from, source.text.length);
  const listed: Place[] = [];
  if (accept(c, 'locations')) {
    expect(c, '[', "behind 'locations'");
    while (!accept(c, ']')) {
      listed.push(place(c, names, threads));
      accept(c, ';');
    }
  }
  const filter = accept(c, 'filter') ? condition(c, names, threads) : undefined;
  const q = quantifier(c);
  const known = names.locations.size;
  const k = condition(c, names, threads);
  if (names.locations.size > known) fail(source, from, 'the condition names an unknown location');
  if (peek(c).kind !== 'end') wanted(c, 'the end of the file');
  return { listed, filter, quantifier: q, condition: k };
}

const placeKey = (p: Place): string =>
  p.kind === 'reg' ? `${p.thread}:${p.reg}` : `${p.location.name}[${p.index}]`;

/** Herd's order: registers by thread and number, then locations by name. */
function comparePlaces(a: Place, b: Place): number {
  if (a.kind === 'reg' && b.kind === 'reg') return a.thread - b.thread || a.reg - b.reg;
  if (a.kind === 'cell' && b.kind === 'cell') {
    const [x, y] = [a.location.name, b.location.name];
    return x < y ? -1 : x > y ? 1 : a.index - b.index;
  }
  return a.kind === 'reg' ? -1 : 1;
}

const unique = (list: readonly Place[]): Place[] =>
  [...new Map(list.map((p) => [placeKey(p), p])).values()].sort(comparePlaces);

/** Give a size to undeclared locations: that of the accesses whose base register points there. */
function settleSizes(
  source: SourceText,
  names: Names,
  threads: readonly Instr[][],
  at: number,
): void {
  for (const l of names.locations.values()) {
    if (l.size !== 0) continue;
    const seen = new Set<number>();
    threads.forEach((code, who) => {
      for (const i of code) {
        if (!('size' in i)) continue;
        const base = names.registers.get(who)?.get(i.addr.regs[0] ?? -1);
        if (base?.value === l.address) seen.add(i.size);
      }
    });
    if (seen.size > 1)
      fail(source, at, `'${l.name}' is accessed in several sizes: mixed size is not supported`);
    l.size = [...seen][0] ?? 0;
  }
}

function buildThread(
  code: readonly Instr[],
  names: Names,
  who: number,
  shown: readonly Place[],
): Thread {
  const wanted = shown.flatMap((p) => (p.kind === 'reg' && p.thread === who ? [p.reg] : []));
  const used = [...new Set([...registersOf(code), ...wanted])];
  const to = new Map(used.map((r, i) => [r, i]));
  const first = Array.from(
    { length: REGISTERS },
    (_, r) => names.registers.get(who)?.get(r)?.value,
  );
  return {
    code: renumber(code, to),
    regs: used.map((r) => first[r] ?? 0n),
    observed: wanted.map((r) => to.get(r)!),
  };
}

/**
 * Read an AArch64 litmus test. `unroll` bounds how often a thread takes a backward branch.
 * @throws LitmusError with file:line:column for bad syntax and for whatever ptlab lacks.
 */
export function parseLitmus(file: string, text: string, unroll = 2): LitmusTest {
  const source = blankComments(file, text);
  const block = findInit(source);
  const name = readHeader(source, block.from);
  const names = readInit(source, block.from + 1, block.to);
  const { rows, end } = readRows(source, block.to + 1);
  const threads = readThreads(source, rows);
  const tail = readTail(source, end, names, threads.length);
  for (const [who, regs] of names.registers)
    for (const { at } of regs.values())
      if (who >= threads.length) fail(source, at, `there is no thread P${who}`);
  settleSizes(source, names, threads, block.from);
  const shown = unique([...tail.listed, ...places(tail.filter), ...places(tail.condition)]);
  const locations = [...names.locations.values()];
  const cells: Cell[] = locations.flatMap((l) =>
    l.init.map((v, i) => ({
      name: l.array ? `${l.name}[${i}]` : l.name,
      address: l.address + BigInt(i * l.size),
      init: l.size === 0 ? v : BigInt.asUintN(8 * l.size, v),
      size: l.size,
    })),
  );
  const at = new Map(cells.map((c, i) => [c.address, i]));
  const program: Program = {
    cells,
    threads: threads.map((code, who) => buildThread(code, names, who, shown)),
    observed: shown.flatMap((p) =>
      p.kind === 'cell' ? [at.get(p.location.address + BigInt(p.index * p.location.size))!] : [],
    ),
    unroll,
  };
  const { quantifier: q, condition: k, filter } = tail;
  return { name, quantifier: q, condition: k, filter, program, shown, locations: names.locations };
}

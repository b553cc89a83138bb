import type { Cell, FinalState, Instr, Program, Thread } from '../engines/memory/program.js';
import { type Assembled, assemble, registersOf, renumber, type Span } from './assemble.js';
import { placeKey, places } from './condition.js';
import { type Names, readInit } from './init.js';
import { findInit, readHeader, readRows } from './layout.js';
import type { LitmusTest, Location, Place } from './model.js';
import { blankComments, fail, type SourceText, where } from './source.js';
import { readTail } from './tail.js';

function readThreads(source: SourceText, rows: readonly Span[][]): Assembled[] {
  const [head, ...body] = rows;
  if (!head) fail(source, source.text.length, 'there is no table of instructions (P0 | P1 ;)');
  const columns = head as Span[];
  columns.forEach((s, i) => {
    const text = source.text.slice(s.from, s.to);
    const at = s.from + (text.length - text.trimStart().length);
    if (/^P\d+\s*[.:]/.test(text.trim()))
      fail(source, at, `'${text.trim()}': fault handlers and annotated threads are not supported`);
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

/** Herd's order: registers by thread and number, then locations by name, then elements of arrays. */
function comparePlaces(a: Place, b: Place): number {
  const rank = { reg: 0, location: 1, element: 2 };
  if (a.kind === 'reg' && b.kind === 'reg') return a.thread - b.thread || a.reg - b.reg;
  if (a.kind === 'reg' || b.kind === 'reg' || a.kind !== b.kind) return rank[a.kind] - rank[b.kind];
  const [x, y] = [a.location.name, b.location.name];
  if (x !== y) return x < y ? -1 : 1;
  return a.kind === 'element' && b.kind === 'element' ? a.index - b.index : 0;
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
  places: readonly Place[],
): Thread {
  const wanted = places.flatMap((p) => (p.kind === 'reg' && p.thread === who ? [p.reg] : []));
  const used = [...new Set([...registersOf(code), ...wanted])];
  const to = new Map(used.map((r, i) => [r, i]));
  const first = names.registers.get(who);
  return {
    code: renumber(code, to),
    regs: used.map((r) => first?.get(r)?.value ?? 0n),
    observed: wanted.map((r) => to.get(r)!),
  };
}

/** Every cell of every location, and the index of each location's first. */
function layOut(locations: Iterable<Location>): { cells: Cell[]; first: Map<Location, number> } {
  const first = new Map<Location, number>();
  const cells: Cell[] = [];
  for (const l of locations) {
    first.set(l, cells.length);
    l.init.forEach((v, i) => {
      cells.push({
        name: l.array ? `${l.name}[${i}]` : l.name,
        address: l.address + BigInt(i * l.size),
        init: l.size === 0 ? v : BigInt.asUintN(8 * l.size, v),
        size: l.size,
      });
    });
  }
  return { cells, first };
}

/** The cells a place covers. */
function cellsOf(p: Place, first: ReadonlyMap<Location, number>): number[] {
  if (p.kind === 'reg') return [];
  const from = first.get(p.location)!;
  return p.kind === 'element' ? [from + p.index] : p.location.init.map((_, i) => from + i);
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
  const assembled = readThreads(source, rows);
  const threads = assembled.map((a) => a.code);
  const tail = readTail(source, end, { names, threads: threads.length });
  for (const [who, regs] of names.registers)
    for (const { at } of regs.values())
      if (who >= threads.length) fail(source, at, `there is no thread P${who}`);
  settleSizes(source, names, threads, block.from);
  const shown = unique([...tail.listed, ...places(tail.condition)]);
  const observed = unique([...shown, ...places(tail.filter)]);
  const { cells, first } = layOut(names.locations.values());
  const program: Program = {
    cells,
    threads: threads.map((code, who) => buildThread(code, names, who, observed)),
    observed: observed.flatMap((p) => cellsOf(p, first)),
    unroll,
  };
  let next = 0;
  const span = new Map<string, readonly [number, number]>(
    observed.map((p) => [placeKey(p), [next, (next += p.kind === 'reg' ? 1 : cellsOf(p, first).length)]]),
  ); // biome-ignore format: one line
  const values = (p: Place, s: FinalState): readonly bigint[] => s.slice(...span.get(placeKey(p))!);
  const { locations } = names;
  const { quantifier, condition, filter } = tail;
  return {
    name, quantifier, condition, filter, program, shown, values, locations,
    where: (who, pc) => where(source, assembled[who]!.at[pc]!),
  }; // biome-ignore format: fields in lines
}

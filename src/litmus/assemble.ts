import type { Expr, Fence, Instr } from '../engines/memory/program.js';
import { memoryAccess } from './accesses.js';
import { branchTest, dataProcessing, zeroTest } from './alu.js';
import { bitsAndProducts } from './bits.js';
import type { Emit } from './emit.js';
import { effectless } from './hints.js';
import { atImmediate, immediate } from './operands.js';
import {
  accept,
  type Cursor,
  cursor,
  fail,
  nameToken,
  peek,
  type SourceText,
  wanted,
} from './source.js';

/** One cell of the table of instructions: text[from..to) of the file. */
export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The program of one thread, and where each instruction stands in the file. */
export interface Assembled {
  readonly code: Instr[];
  readonly at: number[];
}

interface Assembly extends Assembled {
  readonly source: SourceText;
  readonly labels: Map<string, number>;
  readonly jumps: { readonly at: number; readonly index: number; readonly label: string }[];
}

/**
 * What DMB and DSB order. All observers share one inner-shareable domain, so ISH, OSH and SY are
 * alike; a non-shareable barrier (NSH) orders nothing that another observer could see.
 */
function barrier(word: string, option: string): Fence | undefined | false {
  const m = /^(SY|ISH|OSH|NSH|LD|ST|(?:ISH|OSH|NSH)(?:LD|ST))$/.exec(option);
  if (!m) return false;
  if (option.startsWith('NSH')) return undefined;
  if (option.endsWith('LD')) return 'ld';
  if (option.endsWith('ST')) return word === 'DSB' ? 'dsb.st' : 'st';
  return 'full';
}

function fence(c: Cursor, emit: Emit, word: string): boolean {
  if (word === 'ISB') {
    accept(c, 'SY');
    emit({ op: 'fence', kind: 'isb' });
    return true;
  }
  if (word !== 'DMB' && word !== 'DSB') return false;
  const t = nameToken(c, 'the kind of barrier');
  const kind = barrier(word, t.text.toUpperCase());
  if (kind === false) fail(c.source, t.at, `barrier '${word} ${t.text}' is not supported`);
  if (kind) emit({ op: 'fence', kind });
  return true;
}

function branch(c: Cursor, a: Assembly, word: string): boolean {
  let cond: Expr | undefined;
  if (/^(CBZ|CBNZ|TBZ|TBNZ)$/.test(word)) {
    cond = zeroTest(c, word);
  } else if (/^B\.?[A-Z]{2}$/.test(word)) {
    cond = branchTest(word.slice(-2));
    if (!cond) return false;
  } else if (word !== 'B') return false;
  const t = nameToken(c, 'a label');
  a.jumps.push({ at: t.at, index: a.code.length, label: t.text });
  a.code.push({ op: 'branch', cond, target: -1, settled: false });
  a.at.push(t.at);
  return true;
}

/** The mnemonic: a name, for B.cond with its dot. */
function mnemonic(c: Cursor): { word: string; at: number } {
  const t = nameToken(c, 'an instruction');
  if (t.text.toUpperCase() !== 'B' || !accept(c, '.'))
    return { word: t.text.toUpperCase(), at: t.at };
  return { word: `B.${nameToken(c, 'a condition code').text.toUpperCase()}`, at: t.at };
}

function assembleCell(a: Assembly, span: Span): void {
  const c = cursor(a.source, span.from, span.to);
  while (peek(c).kind === 'name' && peek(c, 1).text === ':') {
    const t = nameToken(c, 'a label');
    accept(c, ':');
    if (a.labels.has(t.text)) fail(a.source, t.at, `label '${t.text}' stands twice in this thread`);
    a.labels.set(t.text, a.code.length);
  }
  if (peek(c).kind === 'end') return;
  const { word, at } = mnemonic(c);
  const emit: Emit = (i) => {
    a.code.push(i);
    a.at.push(at);
  };
  if (word === 'CLREX') {
    if (atImmediate(c)) immediate(c);
    emit({ op: 'clrex' });
  } else if (
    !effectless(c, word) &&
    !dataProcessing(c, emit, word) &&
    !bitsAndProducts(c, emit, word) &&
    !memoryAccess(c, emit, word) &&
    !fence(c, emit, word) &&
    !branch(c, a, word)
  )
    fail(a.source, at, `instruction '${word}' is not supported`);
  if (peek(c).kind !== 'end') wanted(c, `the end of '${word}'`);
}

/** The program of one thread, from the cells of its column. */
export function assemble(source: SourceText, column: readonly Span[]): Assembled {
  const a: Assembly = { source, code: [], at: [], labels: new Map(), jumps: [] };
  for (const span of column) assembleCell(a, span);
  const read = readRegisters(a.code);
  for (const { at, index, label } of a.jumps) {
    const target = a.labels.get(label);
    if (target === undefined) fail(source, at, `there is no label '${label}' in this thread`);
    const jump = a.code[index] as Extract<Instr, { op: 'branch' }>;
    const settled = jump.cond !== undefined && !jump.cond.regs.some((r) => read.has(r));
    a.code[index] = { ...jump, target: target as number, settled };
  }
  return a;
}

/** Registers whose values come, at some point of `code`, from memory or from an exclusive's luck. */
function readRegisters(code: readonly Instr[]): Set<number> {
  const read = new Set<number>();
  for (let before = -1; before < read.size; ) {
    before = read.size;
    for (const i of code) {
      if (i.op === 'stxr') read.add(i.status);
      else if (i.op === 'load' || i.op === 'rmw' || i.op === 'cas') read.add(i.dst);
      else if (i.op === 'set' || i.op === 'select') {
        const from = i.op === 'set' ? i.e.regs : [i.flags, ...i.yes.regs, ...i.no.regs];
        if (from.some((r) => read.has(r))) read.add(i.dst);
      }
    }
  }
  return read;
}

const isExpr = (x: unknown): x is Expr => typeof x === 'object' && x !== null && 'regs' in x;

/** The registers a program mentions, ascending. */
export function registersOf(code: readonly Instr[]): number[] {
  const used = new Set<number>();
  for (const i of code)
    for (const [name, x] of Object.entries(i)) {
      if (isExpr(x)) for (const r of x.regs) used.add(r);
      else if ((name === 'dst' || name === 'status' || name === 'flags') && (x as number) >= 0)
        used.add(x as number);
    }
  return [...used].sort((a, b) => a - b);
}

/** `code` with its registers renumbered by `to`. */
export function renumber(code: readonly Instr[], to: ReadonlyMap<number, number>): Instr[] {
  const move = (name: string, x: unknown): unknown => {
    if (isExpr(x)) return { regs: x.regs.map((r) => to.get(r)!), f: x.f };
    if (name === 'dst' || name === 'status' || name === 'flags') return to.get(x as number) ?? -1;
    return x;
  };
  return code.map(
    (i) => Object.fromEntries(Object.entries(i).map(([k, x]) => [k, move(k, x)])) as Instr,
  );
}

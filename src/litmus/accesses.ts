// Loads, stores, exclusives and LSE atomics.
import type { Acquire, Expr } from '../engines/memory/program.js';
import type { Emit } from './emit.js';
import { SCRATCH } from './model.js';
import {
  type Address,
  address,
  apply,
  comma,
  constant,
  type Register,
  read,
  register,
} from './operands.js';
import type { Cursor } from './source.js';
import { updates } from './updates.js';

const mask = (bytes: number, v: bigint): bigint => BigInt.asUintN(8 * bytes, v);

/** Bytes that an access of register `r` moves; a suffix B or H narrows it. */
const bytesOf = (suffix: string, r: Register): number =>
  suffix.endsWith('B') ? 1 : suffix.endsWith('H') ? 2 : r.bits / 8;

/** Emit the write-back of `a` around `access`. */
function around(emit: Emit, a: Address, access: () => void): void {
  const move = (): void => {
    const { by } = a.writeBack!;
    const e: Expr = { regs: [a.base], f: (v) => mask(8, v! + by) };
    emit({ op: 'set', dst: a.base, e });
  };
  if (a.writeBack?.when === 'before') move();
  access();
  if (a.writeBack?.when === 'after') move();
}

interface Kind {
  readonly acquire: Acquire;
  readonly exclusive: boolean;
  readonly plain: boolean;
}

const loads: Readonly<Record<string, Kind>> = {
  LDR: { acquire: '', exclusive: false, plain: false },
  LDUR: { acquire: '', exclusive: false, plain: true },
  LDAR: { acquire: 'A', exclusive: false, plain: true },
  LDAPR: { acquire: 'Q', exclusive: false, plain: true },
  LDAPUR: { acquire: 'Q', exclusive: false, plain: true },
  LDXR: { acquire: '', exclusive: true, plain: true },
  LDAXR: { acquire: 'A', exclusive: true, plain: true },
};

const stores: Readonly<Record<string, { release: boolean; plain: boolean }>> = {
  STR: { release: false, plain: false },
  STUR: { release: false, plain: true },
  STLR: { release: true, plain: true },
  STLUR: { release: true, plain: true },
};

function load(c: Cursor, emit: Emit, kind: Kind, suffix: string): void {
  const d = register(c);
  comma(c);
  const a = address(c, kind.plain);
  const signed = suffix.startsWith('S');
  const size = suffix === 'SW' ? 4 : bytesOf(suffix, d);
  const extend = signed
    ? (v: bigint) => BigInt.asUintN(d.bits, BigInt.asIntN(8 * size, v))
    : (v: bigint) => mask(size, v);
  const { acquire, exclusive } = kind;
  around(emit, a, () =>
    emit({ op: 'load', dst: d.reg ?? -1, addr: a.at, size, acquire, exclusive, extend }),
  );
}

const cut = (r: Register, size: number): Expr => apply((v) => mask(size, v!), read(r));

function store(c: Cursor, emit: Emit, word: string, suffix: string): void {
  const { release, plain } = stores[word]!;
  const s = register(c);
  comma(c);
  const a = address(c, plain);
  const size = bytesOf(suffix, s);
  around(emit, a, () => emit({ op: 'store', addr: a.at, size, data: cut(s, size), release }));
}

function storeExclusive(c: Cursor, emit: Emit, release: boolean, suffix: string): void {
  const status = register(c);
  comma(c);
  const s = register(c);
  comma(c);
  const { at } = address(c, true);
  const size = bytesOf(suffix, s);
  emit({ op: 'stxr', status: status.reg ?? -1, addr: at, size, data: cut(s, size), release });
}

/** LDP, STP and the non-temporal pairs: two accesses, the second one size further on. */
function pair(c: Cursor, emit: Emit, word: string): void {
  const first = register(c);
  comma(c);
  const second = register(c);
  comma(c);
  const a = address(c);
  const size = word.endsWith('SW') ? 4 : first.bits / 8;
  const sign = word.endsWith('SW');
  const extend = (v: bigint): bigint =>
    sign ? BigInt.asUintN(64, BigInt.asIntN(32, v)) : mask(size, v);
  around(emit, a, () => {
    emit({ op: 'set', dst: SCRATCH, e: a.at });
    [first, second].forEach((r, k) => {
      const addr: Expr = { regs: [SCRATCH], f: (v) => mask(8, v! + BigInt(k * size)) };
      if (word.startsWith('ST'))
        emit({ op: 'store', addr, size, data: cut(r, size), release: false });
      else
        emit({
          op: 'load', dst: r.reg ?? -1, addr, size, acquire: '', exclusive: false, extend,
        }); // biome-ignore format: one line of fields
    });
  });
}

/** LD<op>, ST<op> and SWP. */
function readModifyWrite(c: Cursor, emit: Emit, op: string, order: string, suffix: string): void {
  const s = register(c);
  comma(c);
  const returns = !op.startsWith('ST');
  const d: Register = returns ? register(c) : { reg: undefined, bits: s.bits };
  if (returns) comma(c);
  const { at } = address(c, true);
  const size = bytesOf(suffix, s);
  const name = op === 'SWP' ? 'SWP' : op.slice(2);
  emit({
    op: 'rmw',
    dst: d.reg ?? -1,
    addr: at,
    size,
    data: cut(s, size),
    update: (old, data) => mask(size, updates[name]!(old, data, size)),
    acquire: order.startsWith('A'),
    release: order.endsWith('L'),
    noReturn: d.reg === undefined,
    carries: name !== 'SWP',
  });
}

function compareAndSwap(c: Cursor, emit: Emit, order: string, suffix: string): void {
  const d = register(c);
  comma(c);
  const s = register(c);
  comma(c);
  const { at } = address(c, true);
  const size = bytesOf(suffix, d);
  emit({
    op: 'cas',
    dst: d.reg ?? -1,
    addr: at,
    size,
    compare: d.reg === undefined ? constant(0n) : cut(d, size),
    data: cut(s, size),
    acquire: order.startsWith('A'),
    release: order.endsWith('L'),
    noReturn: d.reg === undefined,
  });
}

const operation = /^((?:LD|ST)(?:ADD|CLR|EOR|SET|SMAX|SMIN|UMAX|UMIN)|SWP)(AL|A|L)?(B|H)?$/;

/** The memory instruction `word`, or false if it is none. */
export function memoryAccess(c: Cursor, emit: Emit, word: string): boolean {
  const l = /^(LDR|LDUR|LDAR|LDAPR|LDAPUR|LDXR|LDAXR)(B|H|SB|SH|SW)?$/.exec(word);
  const s = /^(STR|STUR|STLR|STLUR)(B|H)?$/.exec(word);
  const x = /^(STXR|STLXR)(B|H)?$/.exec(word);
  const o = operation.exec(word);
  const cas = /^CAS(AL|A|L)?(B|H)?$/.exec(word);
  if (l) load(c, emit, loads[l[1]!]!, l[2] ?? '');
  else if (s) store(c, emit, s[1]!, s[2] ?? '');
  else if (x) storeExclusive(c, emit, x[1] === 'STLXR', x[2] ?? '');
  else if (/^(LDP|STP|LDNP|STNP|LDPSW)$/.test(word)) pair(c, emit, word);
  else if (cas) compareAndSwap(c, emit, cas[1] ?? '', cas[2] ?? '');
  else if (o && !(o[1]!.startsWith('ST') && (o[2] ?? '').startsWith('A')))
    readModifyWrite(c, emit, o[1]!, o[2] ?? '', o[3] ?? '');
  else return false;
  return true;
}

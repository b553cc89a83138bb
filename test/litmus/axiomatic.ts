// A slow, obvious judge for the promising engine: enumerate candidate executions and keep those that satisfy the axioms
// of the Armv8 model (external, internal, atomic). It shares with the engine only the form of a program.
import {
  type Acquire,
  type Expr,
  evaluate,
  type Fence,
  type Instr,
  locator,
  type Program,
} from '../../src/engines/memory/program.js';

interface Event {
  readonly who: number;
  readonly kind: 'R' | 'W' | 'F';
  readonly cell: number;
  readonly value: bigint;
  readonly acquire: Acquire;
  readonly release: boolean;
  readonly noReturn: boolean;
  readonly fence: Fence | undefined;
  /** Events of the same thread it depends on, by place in the thread's trace. */
  readonly addr: readonly number[];
  readonly data: readonly number[];
  readonly ctrl: readonly number[];
  readonly pickAddr: readonly number[];
  readonly pickData: readonly number[];
  readonly pickCtrl: readonly number[];
  /** The read half of an atomic, or the paired LDXR. */
  readonly rmw: number | undefined;
  readonly amo: boolean;
}

interface Trace {
  readonly events: readonly Event[];
  readonly regs: readonly bigint[];
}

interface Run {
  pc: number;
  regs: bigint[];
  taint: number[][];
  pick: number[][];
  ctrl: number[];
  pickCtrl: number[];
  events: Event[];
  reserved: { cell: number; event: number } | undefined;
}

const join = (...lists: (readonly number[])[]): number[] => [...new Set(lists.flat())];
const copy = (r: Run): Run => ({
  ...r,
  regs: r.regs.slice(),
  taint: r.taint.slice(),
  pick: r.pick.slice(),
  events: r.events.slice(),
});

/** Every trace of one thread when loads may return any value of `domain`. */
function traces(p: Program, who: number, domain: readonly (readonly bigint[])[]): Trace[] {
  const { code, regs } = p.threads[who]!;
  const locate = locator(p);
  const out: Trace[] = [];
  const none = regs.map(() => [] as number[]);
  const start: Run = {
    pc: 0, regs: regs.slice(), taint: none, pick: none, ctrl: [], pickCtrl: [], events: [], reserved: undefined,
  }; // biome-ignore format: one line of fields
  const put = (r: Run, dst: number, v: bigint, taint: number[], pick: number[]): void => {
    if (dst < 0) return;
    r.regs[dst] = v;
    r.taint[dst] = taint;
    r.pick[dst] = join(taint, pick);
  };
  const taintOf = (r: Run, e: Expr): number[] => join(...e.regs.map((x) => r.taint[x]!));
  const pickOf = (r: Run, e: Expr): number[] => join(...e.regs.map((x) => r.pick[x]!));
  const event = (r: Run, part: Partial<Event> & Pick<Event, 'kind'>): number =>
    r.events.push({
      who, cell: -1, value: 0n, acquire: '', release: false, noReturn: false, fence: undefined,
      addr: [], data: [], pickAddr: [], pickData: [], ctrl: r.ctrl, pickCtrl: r.pickCtrl,
      rmw: undefined, amo: false, ...part,
    }) - 1; // biome-ignore format: one line of fields
  /** The last own write to the cell: what it was made of flows into a later load of the cell. */
  const local = (r: Run, cell: number, pick: boolean): number[] => {
    const w = r.events.findLast((e) => e.kind === 'W' && e.cell === cell);
    if (!w) return [];
    return pick ? join(w.pickAddr, w.pickData) : join(w.addr, w.data);
  };
  const read = (r: Run, i: { addr: Expr }, value: bigint, part: Partial<Event>): number => {
    const cell = locate(who, r.pc, evaluate(i.addr, r.regs));
    const [addr, pickAddr] = [taintOf(r, i.addr), pickOf(r, i.addr)];
    return event(r, { kind: 'R', cell, value, addr, pickAddr, ...part });
  };
  const resultOf = (r: Run, at: number): [number[], number[]] => {
    const e = r.events[at]!;
    const before = { ...r, events: r.events.slice(0, at) };
    return [
      join([at], e.addr, local(before, e.cell, false)),
      join([at], e.pickAddr, local(before, e.cell, true)),
    ];
  };
  const write = (
    r: Run,
    i: { addr: Expr; data: Expr },
    value: bigint,
    part: Partial<Event>,
  ): void => {
    const cell = locate(who, r.pc, evaluate(i.addr, r.regs));
    const [addr, pickAddr] = [taintOf(r, i.addr), pickOf(r, i.addr)];
    const data = join(taintOf(r, i.data), part.data ?? []);
    const pickData = join(pickOf(r, i.data), part.pickData ?? []);
    event(r, { kind: 'W', cell, value, addr, pickAddr, ...part, data, pickData });
  };
  const atomic = (r: Run, i: Extract<Instr, { op: 'rmw' | 'cas' }>): Run[] => {
    const cell = locate(who, r.pc, evaluate(i.addr, r.regs));
    return domain[cell]!.flatMap((old) => {
      const fails = i.op === 'cas' && evaluate(i.compare, r.regs) !== old;
      const ways = i.op === 'cas' && !fails ? [false, true] : [false];
      return ways.map((fromRegister) => {
        const n = copy(r);
        const { noReturn } = i;
        const acquire = i.acquire && !noReturn ? 'A' : '';
        const at = read(n, i, old, { acquire, noReturn, amo: true });
        const [taint, pick] = resultOf(n, at);
        const data = evaluate(i.data, n.regs);
        if (!fails) {
          const value = i.op === 'cas' ? data : i.update(old, data);
          const carried = i.op === 'rmw' && i.carries ? taint : [];
          const picked = i.op === 'cas' ? join(pick, pickOf(n, i.compare)) : join(carried, pick);
          const pickData = i.op === 'cas' || carried.length > 0 ? picked : [];
          write(n, i, value, { data: carried, pickData, release: i.release, rmw: at, amo: true });
        }
        if (fromRegister && i.op === 'cas')
          put(n, i.dst, old, taintOf(n, i.compare), join(pick, pickOf(n, i.compare)));
        else put(n, i.dst, old, taint, pick);
        n.pc++;
        return n;
      });
    });
  };
  const step = (r: Run): Run[] => {
    const i = code[r.pc]!;
    switch (i.op) {
      case 'set':
        put(r, i.dst, evaluate(i.e, r.regs), taintOf(r, i.e), pickOf(r, i.e));
        break;
      case 'select': {
        const e = i.test(r.regs[i.flags]!) ? i.yes : i.no;
        put(r, i.dst, evaluate(e, r.regs), taintOf(r, e), join(pickOf(r, e), r.pick[i.flags]!));
        break;
      }
      case 'branch': {
        if (i.target <= r.pc) throw new Error('the axiomatic judge knows no loops');
        if (i.cond) {
          r.ctrl = join(r.ctrl, taintOf(r, i.cond));
          r.pickCtrl = join(r.pickCtrl, pickOf(r, i.cond));
        }
        if (!i.cond || evaluate(i.cond, r.regs) !== 0n) r.pc = i.target - 1;
        break;
      }
      case 'fence':
        event(r, { kind: 'F', fence: i.kind });
        break;
      case 'clrex':
        r.reserved = undefined;
        break;
      case 'load': {
        const cell = locate(who, r.pc, evaluate(i.addr, r.regs));
        return domain[cell]!.map((v) => {
          const n = copy(r);
          const at = read(n, i, v, { acquire: i.acquire });
          const [taint, pick] = resultOf(n, at);
          put(n, i.dst, i.extend(v), taint, pick);
          if (i.exclusive) n.reserved = { cell, event: at };
          n.pc++;
          return n;
        });
      }
      case 'store':
        write(r, i, evaluate(i.data, r.regs), { release: i.release });
        break;
      case 'stxr': {
        const cell = locate(who, r.pc, evaluate(i.addr, r.regs));
        const paired = r.reserved?.cell === cell ? r.reserved.event : undefined;
        const failed = copy(r);
        failed.reserved = undefined;
        put(failed, i.status, 1n, [], []);
        failed.pc++;
        if (paired === undefined) return [failed];
        write(r, i, evaluate(i.data, r.regs), { release: i.release, rmw: paired });
        put(r, i.status, 0n, [], []);
        r.reserved = undefined;
        r.pc++;
        return [failed, r];
      }
      default:
        return atomic(r, i);
    }
    r.pc++;
    return [r];
  };
  const stack = [start];
  while (stack.length > 0) {
    const r = copy(stack.pop()!);
    if (r.pc >= code.length) out.push({ events: r.events, regs: r.regs });
    else stack.push(...step(r));
  }
  return out;
}

type Relation = boolean[][];
const empty = (n: number): Relation => Array.from({ length: n }, () => new Array(n).fill(false));

function close(r: Relation): Relation {
  const n = r.length;
  for (let k = 0; k < n; k++)
    for (let i = 0; i < n; i++)
      if (r[i]![k]) for (let j = 0; j < n; j++) if (r[k]![j]) r[i]![j] = true;
  return r;
}
const acyclic = (r: Relation): boolean => close(r.map((x) => x.slice())).every((x, i) => !x[i]);

/** Order within threads that every execution of these traces keeps: lob, and what only orders writes behind a pick. */
function localOrder(all: readonly Event[], offset: readonly number[]): Relation {
  const n = all.length;
  const lob = empty(n);
  const base = (e: Event): number => offset[e.who]!;
  const po = (a: number, b: number): boolean => all[a]!.who === all[b]!.who && a < b;
  const between = (a: number, b: number, f: (e: Event, at: number) => boolean): boolean => {
    for (let k = a + 1; k < b; k++) if (all[k]!.who === all[a]!.who && f(all[k]!, k)) return true;
    return false;
  };
  const picks: [number, number][] = [];
  for (let b = 0; b < n; b++) {
    const y = all[b]!;
    if (y.kind === 'F') continue;
    const from = (list: readonly number[]): number[] => list.map((k) => k + base(y));
    const own = (k: number): boolean => y.rmw === undefined || k !== y.rmw + base(y);
    for (const k of from([...y.addr, ...y.data]).filter(own)) lob[k]![b] = true;
    for (const k of from([...y.pickAddr, ...y.pickData]).filter(own)) picks.push([k, b]);
    if (y.kind === 'W') {
      for (const k of from([...y.ctrl, ...y.pickCtrl, ...y.pickAddr, ...y.pickData]))
        if (k !== b) lob[k]![b] = true;
    }
    if (y.rmw !== undefined) lob[y.rmw + base(y)]![b] = true;
    for (let a = 0; a < b; a++) {
      if (!po(a, b)) continue;
      const x = all[a]!;
      if (x.kind === 'F') continue;
      const fenced = (kinds: Fence[]): boolean =>
        between(a, b, (e) => e.fence !== undefined && kinds.includes(e.fence));
      const isbAfter = (at: number): boolean => between(at, b, (e) => e.fence === 'isb');
      if (y.kind === 'W' && x.cell === y.cell) lob[a]![b] = true;
      if (fenced(['full'])) lob[a]![b] = true;
      if (x.kind === 'R' && !x.noReturn && fenced(['ld'])) lob[a]![b] = true;
      if (x.kind === 'W' && y.kind === 'W' && fenced(['st'])) lob[a]![b] = true;
      if (x.kind === 'W' && fenced(['dsb.st'])) lob[a]![b] = true;
      if (x.acquire !== '' || y.release) lob[a]![b] = true;
      if (x.release && y.acquire === 'A') lob[a]![b] = true;
      if (x.kind === 'W' && x.amo && x.release && all[x.rmw! + base(x)]!.acquire === 'A')
        lob[a]![b] = true;
      // addr; po; [W], and addr; po; [ISB]; po
      for (const k of [...x.addr, ...x.pickAddr].map((d) => d + base(x)))
        if (k !== b && (y.kind === 'W' || isbAfter(a))) lob[k]![b] = true;
      // lrs: dependencies of the last own write reach a later read of its cell; rmw; lrs; [A|Q]
      if (x.kind === 'W' && y.kind === 'R' && x.cell === y.cell) {
        if (between(a, b, (e) => e.kind === 'W' && e.cell === x.cell)) continue;
        const made = [...x.addr, ...x.data].map((d) => d + base(x));
        const read = x.rmw === undefined ? -1 : x.rmw + base(x);
        for (const k of made) if (k !== read) lob[k]![b] = true;
        if (read >= 0 && y.acquire !== '') lob[read]![b] = true;
      }
    }
    // ctrl; [ISB]; po
    for (let f = 0; f < b; f++) {
      if (!po(f, b) || all[f]!.fence !== 'isb') continue;
      for (const k of [...all[f]!.ctrl, ...all[f]!.pickCtrl]) lob[k + base(y)]![b] = true;
    }
  }
  close(lob);
  // A pick dependency followed by local order orders what it ends in, if that is a write.
  for (const [k, e] of picks)
    for (let b = 0; b < n; b++) if (lob[e]![b] && all[b]!.kind === 'W') lob[k]![b] = true;
  return close(lob);
}

function* permutations(list: readonly number[]): Generator<number[]> {
  if (list.length === 0) yield [];
  for (const x of list)
    for (const rest of permutations(list.filter((y) => y !== x))) yield [x, ...rest];
}

function* product<T>(lists: readonly (readonly T[])[]): Generator<T[]> {
  const [head, ...tail] = lists;
  if (!head) yield [];
  else for (const x of head) for (const rest of product(tail)) yield [x, ...rest];
}

/** Add the final states of all executions of these traces to `finals`. */
function judge(p: Program, ts: readonly Trace[], finals: Set<string>): void {
  const offset = ts.map((_, i) => ts.slice(0, i).reduce((s, t) => s + t.events.length, 0));
  const all = ts.flatMap((t) => t.events);
  const writes = (cell: number): number[] =>
    all.flatMap((e, i) => (e.kind === 'W' && e.cell === cell ? [i] : []));
  const readsAt = all.flatMap((e, i) => (e.kind === 'R' ? [i] : []));
  const sources = readsAt.map((r) => [
    ...writes(all[r]!.cell).filter((w) => all[w]!.value === all[r]!.value),
    ...(p.cells[all[r]!.cell]!.init === all[r]!.value ? [-1] : []),
  ]);
  if (sources.some((s) => s.length === 0)) return;
  const lob = localOrder(all, offset);
  for (const orders of product(p.cells.map((_, c) => [...permutations(writes(c))]))) {
    const rank = new Map(orders.flatMap((o) => o.map((w, i) => [w, i] as const)));
    const state = [
      ...p.threads.flatMap((t, i) => t.observed.map((r) => ts[i]!.regs[r]!)),
      ...p.observed.map((c) => all[orders[c]!.at(-1) ?? -1]?.value ?? p.cells[c]!.init),
    ].join();
    if (finals.has(state)) continue;
    for (const rf of product(sources)) {
      if (consistent(all, offset, lob, rank, readsAt, rf)) {
        finals.add(state);
        break;
      }
    }
  }
}

function consistent(
  all: readonly Event[],
  offset: readonly number[],
  lob: Relation,
  rank: ReadonlyMap<number, number>,
  readsAt: readonly number[],
  rf: readonly number[],
): boolean {
  const ob = lob.map((x) => x.slice());
  const internal = empty(all.length);
  const add = (a: number, b: number): void => {
    internal[a]![b] = true;
    if (all[a]!.who !== all[b]!.who) ob[a]![b] = true;
  };
  const from = new Map(readsAt.map((r, i) => [r, rf[i]!]));
  const place = (w: number): number => (w < 0 ? -1 : rank.get(w)!);
  for (const [w] of rank)
    for (const [v] of rank) if (all[w]!.cell === all[v]!.cell && place(w) < place(v)) add(w, v);
  for (const [r, w] of from) {
    if (w >= 0) add(w, r);
    for (const [v] of rank) if (all[v]!.cell === all[r]!.cell && place(v) > place(w)) add(r, v);
  }
  all.forEach((x, a) => {
    all.forEach((y, b) => {
      if (a < b && x.who === y.who && x.cell === y.cell && x.kind !== 'F') internal[a]![b] = true;
    });
  });
  for (const [w] of rank) {
    const e = all[w]!;
    if (e.rmw === undefined) continue;
    const source = place(from.get(e.rmw + offset[e.who]!)!);
    for (const [v] of rank)
      if (
        all[v]!.cell === e.cell &&
        all[v]!.who !== e.who &&
        place(v) > source &&
        place(v) < place(w)
      )
        return false;
  }
  return acyclic(internal) && acyclic(ob);
}

/** Every final state of a loop-free program by the axioms, as sorted strings; for a handful of accesses only. */
export function axiomatic(p: Program): string[] {
  let domain: bigint[][] = p.cells.map((c) => [c.init]);
  let found: Trace[][] = [];
  for (let round = 0; round < 8; round++) {
    found = p.threads.map((_, who) => traces(p, who, domain));
    const next = p.cells.map((c) => new Set([c.init]));
    for (const t of found.flat())
      for (const e of t.events) if (e.kind === 'W') next[e.cell]!.add(e.value);
    const grown = next.map((s, i) => [...new Set([...domain[i]!, ...s])]);
    const same = grown.every((s, i) => s.length === domain[i]!.length);
    domain = grown;
    if (same) break;
  }
  const finals = new Set<string>();
  for (const ts of product(found)) judge(p, ts, finals);
  return [...finals].sort();
}

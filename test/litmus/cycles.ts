// AArch64 litmus tests made from cycles, as the diy tool makes them: thread k accesses location k, and then, by an edge
// of program order, location k + 1. Every register read and every location is shown.
import fc from 'fast-check';

interface Thread {
  readonly who: number;
  readonly lines: string[];
  readonly shown: string[];
  next: number;
}

const fresh = (t: Thread): number => t.next++;
const say = (t: Thread, ...lines: string[]): void => void t.lines.push(...lines);
const show = (t: Thread, r: number): number => {
  t.shown.push(`${t.who}:X${r}`);
  return r;
};
const constant = (t: Thread, value: number): number => {
  const r = fresh(t);
  say(t, `MOV W${r},#${value}`);
  return r;
};

/** Where an access goes: the register of its address, and one that is 0 and to be added. */
interface To {
  readonly base: number;
  readonly plus?: number;
}

const address = (to: To): string => `[X${to.base}${to.plus === undefined ? '' : `,W${to.plus},SXTW`}]`; // biome-ignore format: one line

/** An address without an index, for instructions that take none. */
function plain(t: Thread, to: To): string {
  if (to.plus === undefined) return address(to);
  const r = fresh(t);
  say(t, `ADD X${r},X${to.base},W${to.plus},SXTW`);
  return `[X${r}]`;
}

type Access = (t: Thread, to: To, data: () => number) => number | undefined;

const load =
  (how: string): Access =>
  (t, to) => {
    const at = how === 'LDR' ? address(to) : plain(t, to);
    const r = fresh(t);
    say(t, `${how} W${r},${at}`);
    return show(t, r);
  };
const store =
  (how: string): Access =>
  (t, to, data) => {
    const at = how === 'STR' ? address(to) : plain(t, to);
    say(t, `${how} W${data()},${at}`);
    return undefined;
  };
/** SWP, LDADD ..., or without a result LDADD W,WZR and STADD. */
const atomic =
  (how: string, result = true): Access =>
  (t, to, data) => {
    const at = plain(t, to);
    const s = data();
    const r = fresh(t);
    say(t, how.startsWith('ST') ? `${how} W${s},${at}` : `${how} W${s},W${result ? r : 'ZR'},${at}`); // biome-ignore format: one line
    return result ? show(t, r) : undefined;
  };
const compareAndSwap =
  (how: string): Access =>
  (t, to, data) => {
    const at = plain(t, to);
    const s = data();
    const r = constant(t, 0);
    say(t, `${how} W${r},W${s},${at}`);
    return show(t, r);
  };
const exclusive =
  (how: string, and: string): Access =>
  (t, to, data) => {
    const at = plain(t, to);
    const r = fresh(t);
    const s = data();
    const status = fresh(t);
    say(t, `${how} W${r},${at}`, `${and} W${status},W${s},${at}`);
    show(t, status);
    return show(t, r);
  };

/** Accesses by name. */
export const accesses = {
  R: load('LDR'), RA: load('LDAR'), RQ: load('LDAPR'), W: store('STR'), WL: store('STLR'),
  X: exclusive('LDXR', 'STXR'), XA: exclusive('LDAXR', 'STXR'), XL: exclusive('LDXR', 'STLXR'),
  Swp: atomic('SWP'), SwpA: atomic('SWPA'), SwpL: atomic('SWPL'), SwpAL: atomic('SWPAL'),
  Add: atomic('LDADD'), AddA: atomic('LDADDA'), AddL: atomic('LDADDL'), SetAL: atomic('LDSETAL'),
  SwpZ: atomic('SWPA', false), AddZ: atomic('LDADDAL', false), St: atomic('STADD', false),
  StL: atomic('STADDL', false), Cas: compareAndSwap('CAS'), CasA: compareAndSwap('CASA'),
  CasL: compareAndSwap('CASL'), CasAL: compareAndSwap('CASAL'),
}; // biome-ignore format: a table

/** What lies between two accesses: the address and the data of the second one may depend on `from`. */
type Edge = (
  t: Thread,
  from: number | undefined,
  to: To,
) => { to: To; data?: (value: number) => number };

const zeroOf = (t: Thread, from: number): number => {
  const r = fresh(t);
  say(t, `EOR W${r},W${from},W${from}`);
  return r;
};
const pickedZero = (t: Thread, from: number): number => {
  const r = fresh(t);
  say(t, `CMP W${from},#1`, `CSEL W${r},WZR,WZR,EQ`);
  return r;
};
const branch = (t: Thread, from: number): void => {
  const l = `L${t.who}${fresh(t)}`;
  say(t, `CBNZ W${from},${l}`, `${l}:`);
};
/** An own location nobody else touches: the register of its address. */
const PRIVATE = 28;

const dependent =
  (how: (t: Thread, from: number, to: To) => ReturnType<Edge>): Edge =>
  (t, from, to) =>
    from === undefined ? { to } : how(t, from, to);
const fenced =
  (...lines: string[]): Edge =>
  (t, _from, to) => {
    say(t, ...lines);
    return { to };
  };
const dataBy =
  (zero: (t: Thread, from: number) => number) => (t: Thread, from: number) => (value: number) => {
    const z = zero(t, from);
    const r = fresh(t);
    say(t, `ADD W${r},W${z},#${value}`);
    return r;
  };
/** `from` flows through the own location, and what is read there goes on by `then`. */
const forwarded = (
  into: (t: Thread, from: number) => void,
  then: (t: Thread, from: number, to: To) => ReturnType<Edge>,
): Edge =>
  dependent((t, from, to) => {
    into(t, from);
    const r = fresh(t);
    say(t, `LDR W${r},[X${PRIVATE}]`);
    return then(t, show(t, r), to);
  });
const byData = (t: Thread, from: number): void =>
  void accesses.W(t, { base: PRIVATE }, () => dataBy(zeroOf)(t, from)(1));
const byAddress = (t: Thread, from: number): void =>
  void accesses.W(t, { base: PRIVATE, plus: zeroOf(t, from) }, () => constant(t, 1));
const byControl = (t: Thread, from: number): void => {
  branch(t, from);
  accesses.W(t, { base: PRIVATE }, () => constant(t, 1));
};
const byPick = (t: Thread, from: number): void =>
  void accesses.W(t, { base: PRIVATE }, () => dataBy(pickedZero)(t, from)(1));
const addr = (t: Thread, from: number, to: To) => ({ to: { ...to, plus: zeroOf(t, from) } });
const data = (t: Thread, from: number, to: To) => ({ to, data: dataBy(zeroOf)(t, from) });
const ctrl = (t: Thread, from: number, to: To) => {
  branch(t, from);
  return { to };
};

/** Edges of program order by name; where there is nothing read to depend on they are plain. */
export const edges = {
  po: fenced(), 'dmb.sy': fenced('DMB SY'), 'dmb.ld': fenced('DMB ISHLD'), 'dmb.st': fenced('DMB OSHST'),
  'dsb.sy': fenced('DSB ISH'), 'dsb.ld': fenced('DSB LD'), 'dsb.st': fenced('DSB ISHST'), isb: fenced('ISB'),
  'dmb.nsh': fenced('DMB NSH'),
  addr: dependent(addr), data: dependent(data), ctrl: dependent(ctrl),
  ctrlisb: dependent((t, from, to) => { branch(t, from); say(t, 'ISB'); return { to }; }),
  'addr-po': dependent((t, from, to) => { byAddress(t, from); return { to }; }),
  'addr-isb': dependent((t, from, to) => { accesses.R(t, addr(t, from, { base: PRIVATE }).to, () => 0); say(t, 'ISB'); return { to }; }),
  'addr-pick': dependent((t, from, to) => ({ to: { ...to, plus: pickedZero(t, from) } })),
  'data-pick': dependent((t, from, to) => ({ to, data: dataBy(pickedZero)(t, from) })),
  'data-rfi-addr': forwarded(byData, addr), 'ctrl-rfi-addr': forwarded(byControl, addr),
  'addr-rfi-addr': forwarded(byAddress, addr), 'pick-rfi-addr': forwarded(byPick, addr),
  'data-rfi-data': forwarded(byData, data), 'ctrl-rfi-ctrl': forwarded(byControl, ctrl),
  'pick-rfi-data': forwarded(byPick, data),
} satisfies Record<string, Edge>; // biome-ignore format: a table

export type AccessName = keyof typeof accesses;
export type EdgeName = keyof typeof edges;
/** What one thread of a cycle does; without a second access it has no edge either. */
export interface Shape {
  readonly first: AccessName;
  readonly edge: EdgeName;
  readonly second: AccessName | undefined;
}

function thread(shape: Shape, who: number, here: number, there: number): Thread {
  const t: Thread = { who, lines: [], shown: [], next: 0 };
  const base = (location: number): To => ({ base: 20 + location });
  const from = accesses[shape.first](t, base(here), () => constant(t, who + 1));
  if (!shape.second) return t;
  const { to, data: made } = edges[shape.edge](t, from, base(there)) as ReturnType<Edge>;
  accesses[shape.second](t, to, () => (made ?? ((v: number) => constant(t, v)))(who + 5));
  return t;
}

/** The cycle as a test; threads with one access stay at the location before them. */
export function cycleText(shapes: readonly Shape[]): string {
  const locations = shapes.filter((s) => s.second).length;
  let at = 0;
  const threads = shapes.map((s, who) => {
    const here = at % locations;
    if (s.second) at++;
    return thread(s, who, here, at % locations);
  });
  const name = shapes.map((s) => (s.second ? `${s.first}-${s.edge}-${s.second}` : s.first));
  const height = Math.max(...threads.map((t) => t.lines.length));
  const rows = Array.from({ length: height }, (_, i) => threads.map((t) => t.lines[i] ?? '').join(' | ')); // biome-ignore format: one line
  const names = Array.from({ length: locations }, (_, i) => `x${i}`);
  const init = threads.map((t) => [...names.map((n, i) => `${t.who}:X${20 + i}=${n};`), `${t.who}:X${PRIVATE}=z${t.who};`].join(' ')); // biome-ignore format: one line
  return [
    `AArch64 ${name.join('+')}`,
    `{ ${init.join('\n')} }`,
    `${threads.map((t) => `P${t.who}`).join(' | ')} ;`,
    ...rows.map((r) => `${r} ;`),
    `locations [${[...threads.flatMap((t) => t.shown), ...names].map((s) => `${s};`).join(' ')}]`,
    'exists (true)',
  ].join('\n');
}

const accessNames = Object.keys(accesses) as AccessName[];
const edgeNames = Object.keys(edges) as EdgeName[];
/** Accesses of one event are more frequent: the judge is slow, and they are what most tests have. */
const access = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom<AccessName>('R', 'W') },
  { weight: 1, arbitrary: fc.constantFrom<AccessName>('R', 'RA', 'RQ', 'W', 'WL') },
  { weight: 1, arbitrary: fc.constantFrom(...accessNames) },
);
const events = (a: AccessName | undefined): number => (!a ? 0 : /^(R|W)/.test(a) ? 1 : 2);
const shape = fc.record({
  first: access,
  edge: fc.constantFrom(...edgeNames),
  second: fc.option(access, { nil: undefined, freq: 5 }),
});

/** Random cycles of two to four threads with at most `limit` reads and writes. */
export const cycles = (limit: number): fc.Arbitrary<readonly Shape[]> =>
  fc
    .array(shape, { minLength: 2, maxLength: 4 })
    .filter((s) => s.some((t) => t.second))
    .filter((s) => s.reduce((n, t) => n + events(t.first) + events(t.second), 0) <= limit);

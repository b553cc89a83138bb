// Small random AArch64 litmus tests, as text: every kind of access, barrier and dependency the reader knows.
import fc from 'fast-check';

const addresses = ['X0', 'X1', 'X2'] as const;
const order = fc.constantFrom('', 'A', 'L', 'AL');

/** What a thread may do; `k` numbers its registers, so that no two results share one. */
const action = fc.oneof(
  { weight: 6, arbitrary: fc.record({ op: fc.constant('load'), at: fc.nat(2), how: fc.constantFrom('LDR', 'LDR', 'LDAR', 'LDAPR'), dep: fc.constantFrom('', 'addr', 'pick') }) },
  { weight: 7, arbitrary: fc.record({ op: fc.constant('store'), at: fc.nat(2), how: fc.constantFrom('STR', 'STR', 'STLR'), dep: fc.constantFrom('', 'addr', 'data', 'csel', 'pick') }) },
  { weight: 3, arbitrary: fc.record({ op: fc.constant('fence'), how: fc.constantFrom('DMB SY', 'DMB LD', 'DMB ST', 'DSB SY', 'DSB ST', 'DSB LD', 'ISB', 'DMB ISH', 'DMB ISHST', 'DMB OSHLD') }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('branch') }) },
  { weight: 2, arbitrary: fc.record({ op: fc.constant('swp'), at: fc.nat(2), order, zero: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('ldset'), at: fc.nat(2), order, zero: fc.boolean() }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('cas'), at: fc.nat(2), order }) },
  { weight: 1, arbitrary: fc.record({ op: fc.constant('exclusive'), at: fc.nat(2), acquire: fc.boolean(), release: fc.boolean() }) },
); // biome-ignore format: a table
type Action = { op: string; at?: number; how?: string; dep?: string; order?: string; zero?: boolean; acquire?: boolean; release?: boolean }; // biome-ignore format: one line

interface Column {
  readonly lines: string[];
  readonly shown: string[];
  /** Register of the last value read. */
  last: string | undefined;
  next: number;
  accesses: number;
}

function emit(c: Column, a: Action, who: number): void {
  const at = addresses[a.at ?? 0];
  const fresh = (): string => `${c.next++}`;
  const store = (value: number): string => {
    const r = fresh();
    c.lines.push(`MOV W${r},#${value}`);
    return r;
  };
  const value = 1 + ((who + c.next) % 3);
  const show = (r: string): void => {
    c.shown.push(`${who}:X${r}`);
    c.last = r;
  };
  const address = (dep: string | undefined): string => {
    if ((dep !== 'addr' && dep !== 'pick') || c.last === undefined) return `[${at}]`;
    const r = fresh();
    if (dep === 'addr') c.lines.push(`EOR W${r},W${c.last},W${c.last}`);
    else c.lines.push(`CMP W${c.last},#0`, `CSEL W${r},WZR,WZR,EQ`);
    return `[${at},W${r},SXTW]`;
  };
  switch (a.op) {
    case 'load': {
      const plain = a.how === 'LDR' ? address(a.dep) : `[${at}]`;
      const r = fresh();
      c.lines.push(`${a.how} W${r},${plain}`);
      c.accesses++;
      show(r);
      return;
    }
    case 'store': {
      const plain = a.how === 'STR' ? address(a.dep) : `[${at}]`;
      let r = store(value);
      if (c.last !== undefined && (a.dep === 'data' || a.dep === 'csel')) {
        const d = fresh();
        if (a.dep === 'data')
          c.lines.push(`EOR W${d},W${c.last},W${c.last}`, `ADD W${d},W${d},W${r}`);
        else c.lines.push(`CMP W${c.last},#0`, `CSEL W${d},W${r},W${r},EQ`);
        r = d;
      }
      c.lines.push(`${a.how} W${r},${plain}`);
      c.accesses++;
      return;
    }
    case 'fence':
      c.lines.push(a.how!);
      return;
    case 'branch':
      if (c.last === undefined) return;
      c.lines.push(`CBNZ W${c.last},L${c.next}`, `L${c.next++}:`);
      return;
    case 'swp':
    case 'ldset': {
      const r = store(value);
      const d = a.zero ? 'ZR' : fresh();
      c.lines.push(`${a.op.toUpperCase()}${a.order} W${r},W${d},[${at}]`);
      c.accesses += 2;
      if (!a.zero) show(d);
      return;
    }
    case 'cas': {
      const d = store(0);
      const r = store(value);
      c.lines.push(`CAS${a.order} W${d},W${r},[${at}]`);
      c.accesses += 2;
      show(d);
      return;
    }
    default: {
      const r = fresh();
      const v = store(value);
      const status = fresh();
      c.lines.push(`LD${a.acquire ? 'A' : ''}XR W${r},[${at}]`);
      c.lines.push(`ST${a.release ? 'L' : ''}XR W${status},W${v},[${at}]`);
      c.accesses += 2;
      show(r);
      c.shown.push(`${who}:X${status}`);
    }
  }
}

/** The text of a test from what its threads do, in at most `budget` accesses. */
function text(threads: readonly (readonly Action[])[], limit: number): string {
  let budget = limit;
  const columns = threads.map((actions, who) => {
    const c: Column = { lines: [], shown: [], last: undefined, next: 3, accesses: 0 };
    for (const a of actions) {
      const cost = a.op === 'load' || a.op === 'store' ? 1 : a.at === undefined ? 0 : 2;
      if (cost > budget) continue;
      budget -= cost;
      emit(c, a, who);
    }
    return c;
  });
  const height = Math.max(...columns.map((c) => c.lines.length));
  const rows = Array.from({ length: height }, (_, i) =>
    columns.map((c) => c.lines[i] ?? '').join(' | '),
  );
  const init = columns.map((_, i) => `${i}:X0=x; ${i}:X1=y; ${i}:X2=z;`).join('\n');
  const shown = [...columns.flatMap((c) => c.shown), 'x', 'y', 'z'];
  return [
    'AArch64 random',
    `{ ${init} }`,
    `${columns.map((_, i) => `P${i}`).join(' | ')} ;`,
    ...rows.map((r) => `${r} ;`),
    `locations [${shown.map((s) => `${s};`).join(' ')}]`,
    'exists (true)',
  ].join('\n');
}

/** Anything: two or three threads of up to five actions. */
const anything = fc
  .array(fc.array(action, { minLength: 1, maxLength: 5 }), { minLength: 2, maxLength: 3 })
  .map((threads) => text(threads as Action[][], threads.length === 2 ? 7 : 6));

const fences = ['', '', '', 'DMB SY', 'DMB LD', 'DMB ST', 'DSB ST', 'branch', 'branch+ISB'];

/** A cycle: thread k accesses location k, and then, in some order kept or not, location k + 1. */
const cycle = fc
  .array(
    fc.record({
      first: action,
      second: action,
      extra: fc.option(action, { freq: 3 }),
      between: fc.constantFrom(...fences),
      dep: fc.constantFrom('', 'addr', 'data', 'csel', 'pick'),
    }),
    { minLength: 2, maxLength: 3 },
  )
  .map((threads) => {
    const column = (t: (typeof threads)[number], k: number): Action[] => {
      const at = (a: Action, cell: number): Action => (a.at === undefined ? a : { ...a, at: cell });
      const fence = t.between.split('+').flatMap((how): Action[] => {
        if (how === '') return [];
        return [how === 'branch' ? { op: 'branch' } : { op: 'fence', how }];
      });
      const extra = t.extra ? [at(t.extra as Action, 2)] : [];
      const second = { ...at(t.second as Action, (k + 1) % threads.length), dep: t.dep };
      return [at(t.first as Action, k), ...fence, ...extra, second];
    };
    return text(threads.map(column), 7);
  });

/** The text of a random test of two or three threads and at most seven accesses. */
export const litmusText = fc.oneof(
  { weight: 1, arbitrary: anything },
  { weight: 3, arbitrary: cycle },
);

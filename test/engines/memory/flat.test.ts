// Out-of-order execution over a flat memory against the promising engine, which enumerates orders of messages: two readings
// of the same model that share no rule. Random programs: same verdict, same final states.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Strength } from '../../../src/engines/memory/flat-entry.js';
import { searchFlat, wordAt } from '../../../src/engines/memory/flat-search.js';
import type { Message } from '../../../src/engines/memory/kernel-messages.js';
import { searchMemories } from '../../../src/engines/memory/kernel-search.js';
import type { AtomicMode, FenceMode, Kernel, Step } from '../../../src/linux/step.js';
import { lock, newSystem, region, type System, staticKey, table, task } from '../../../src/linux/system.js'; // biome-ignore format: one line
import { schemes } from '../../../src/schemes/index.js';

interface Places {
  readonly x: number;
  readonly y: number;
  readonly table: number;
  readonly rwsem: number;
  readonly spin: number;
  readonly key: number;
}

type Statement = { kind: number; a: number; b: number; v: number; m: number };
const fences: FenceMode[] = ['dmb ish', 'dmb ishld', 'dmb ishst', 'dsb ish', 'dsb ishld', 'dsb ishst', 'isb']; // biome-ignore format: one line
const modes: AtomicMode[] = ['relaxed', 'acquire', 'release', 'full'];
const fns = ['add', 'xchg', 'cas', 'or'] as const;

function* read(on: number, again = false): Kernel<number> {
  return yield { op: 'read', on, mode: 'once', ...(again && { again }) };
}

/** Does one statement; gives what it read, or 0. */
function* one(p: Places, s: Statement, jumps: boolean): Kernel<number> {
  const [at, other] = s.a ? [p.y, p.x] : [p.x, p.y];
  const mode = s.b ? 'read' : 'write';
  const deps = s.m === 1 ? { addr: other } : {};
  const data = s.m === 2 ? { data: other } : s.m === 3 ? { addr: other } : {};
  switch (s.kind) {
    case 0:
    case 1:
      return yield { op: 'read', on: at, mode: 'once', ...deps };
    case 2:
    case 3:
      yield { op: 'write', on: at, value: s.v + 1, mode: 'once', ...data };
      return 0;
    case 4:
      return yield { op: 'read', on: at, mode: 'acquire', ...deps };
    case 5:
      yield { op: 'write', on: at, value: s.v + 1, mode: 'release', ...data };
      return 0;
    case 6:
      yield { op: 'branch', on: at };
      return 0;
    case 7:
      yield { op: 'fence', mode: fences[(s.v + 3 * s.m) % fences.length]! };
      return 0;
    case 8:
      return yield { op: 'rmw', on: at, fn: fns[s.v]!, value: 1, expect: s.b, mode: modes[s.m]! };
    case 9:
      yield { op: 'lock', on: p.rwsem, kind: 'rwsem', mode };
      return 0;
    case 10:
      return yield { op: 'trylock', on: p.spin, kind: 'spinlock', mode: 'write' };
    case 11:
      yield { op: 'free', on: p.table, ...(s.b ? { addr: at } : {}) };
      return 0;
    case 12:
      return yield { op: 'read', on: p.table + (s.v & 1), mode: 'once', ...deps };
    case 13:
      yield { op: 'gp', mode: 'begin' };
      yield { op: 'gp', mode: 'wait' };
      return 0;
    case 14:
      return yield { op: 'text', on: p.key, mode: 'test' };
    case 16:
      // As static_branch_dec() has it. The promising engine would look at turns without end.
      for (let v = yield* read(at); v > 1; v = yield* read(at, true))
        if ((yield { op: 'rmw', on: at, fn: 'cas', value: v - 1, expect: v, mode: 'full' }) === v) return 1; // biome-ignore format: one line
      return 0;
    default:
      if (!jumps)
        yield { op: 'key', on: p.key, mode: (['enable', 'disable', 'inc', 'dec'] as const)[s.m]! }; // biome-ignore format: one line
      else if (s.a) yield { op: 'text', on: p.key, mode: 'patch', value: s.b };
      else yield { op: 'fence', mode: 'isb' };
      return 0;
  }
}

/** What follows a statement at the end of its block: the other half of a lock. */
function* close(p: Places, s: Statement, got: number): Kernel {
  if (s.kind === 9)
    yield { op: 'unlock', on: p.rwsem, kind: 'rwsem', mode: s.b ? 'read' : 'write' };
  if (s.kind === 10 && got) yield { op: 'unlock', on: p.spin, kind: 'spinlock', mode: 'write' };
}

interface Thread {
  readonly statements: Statement[];
  readonly section: boolean;
  /** Forgets what it has read behind the second statement. */
  readonly forgets: boolean;
}

function build(threads: readonly Thread[], jumps: boolean): System {
  const sys = newSystem(schemes.none, jumps ? ['jump-label'] : []);
  sys.textCpus.push(0);
  const word = (name: string): number => region(sys, name);
  const at: Places = { x: word('x'), y: word('y'), table: table(sys, 't', 2), rwsem: lock(sys, 'rwsem'), spin: lock(sys, 'spin'), key: staticKey(sys, 'key', 3) }; // biome-ignore format: one line
  sys.cells[at.table + 1] = 3;
  threads.forEach(({ statements, section, forgets }, i) => {
    const out = region(sys, `out ${i}`);
    task(sys, `t${i}`, i, function* () {
      let results = 0;
      const open: [Statement, number][] = [];
      for (const [n, s] of statements.entries()) {
        if (section && n === 1) yield { op: 'rcu', mode: 'lock' };
        // Nobody takes a lock twice: the promising engine has no rules for a lock that one task alone touches.
        if ((s.kind === 9 || s.kind === 10) && open.some(([x]) => x.kind === s.kind)) continue;
        const got = yield* one(at, s, jumps);
        results = forgets && n === 1 ? 0 : results * 11 + got;
        open.push([s, got]);
      }
      for (const [s, got] of open.reverse()) yield* close(at, s, got);
      if (section && statements.length > 1) yield { op: 'rcu', mode: 'unlock' };
      yield { op: 'write', on: out, value: results + 1, mode: 'once' };
    });
  });
  return sys;
}

interface Seen {
  readonly kind: string | null;
  readonly finals: string[];
}

/** Words x, y and out 0, 1, 2 at the end. */
const words = (sys: System): number[] =>
  ['x', 'y', ...sys.tasks.map((_, i) => `out ${i}`)].map((name) => sys.named.get(name)!);

function byPromises(sys: System, strength: Strength): Seen | undefined {
  const finals = new Set<string>();
  const at = words(sys);
  const ended = (memory: readonly Message[], own: readonly ReadonlySet<string>[]): void => {
    const cells = sys.cells.slice(0, sys.used);
    for (const m of memory) if (m.kind === 'write') cells[m.on] = m.value;
    const put = (i: number): void => {
      if (i === own.length) finals.add(at.map((w) => cells[w]).join());
      else
        for (const mine of own[i]!) {
          const pairs = mine.split(',').map(Number);
          for (let j = 0; j + 1 < pairs.length; j += 2)
            if (pairs[j]! > 0) cells[pairs[j]!] = pairs[j + 1]!;
          put(i + 1);
        }
    };
    put(0);
  };
  const { bug, cutOff } = searchMemories(sys, { strength, memories: 200, omit: new Set(), ended });
  if (cutOff) return undefined;
  return { kind: bug ? bug.runs[bug.who]!.fault!.kind : null, finals: [...finals].sort() };
}

function byFlat(
  sys: System,
  strength: Strength,
  eager: boolean,
  merge: boolean,
): Seen & { states: number } {
  const { m, s } = searchFlat(sys, {
    strength,
    omit: new Set(),
    eager,
    merge,
    maxStates: 3e5,
    exhaust: true,
  });
  if (s.cutOff) throw new Error('too big');
  const finals = new Set<string>();
  for (const id of s.finals)
    finals.add(
      words(sys)
        .map((w) => wordAt(m, s, id, w))
        .join(),
    );
  return {
    kind: s.found?.fault.fault.kind ?? null,
    finals: [...finals].sort(),
    states: s.states.count,
  };
}

const threads = (kinds: number): fc.Arbitrary<Thread[]> => {
  const bit = fc.nat(1);
  const statement = fc.record({ kind: fc.nat(kinds), a: bit, b: bit, v: fc.nat(3), m: fc.nat(3) });
  const statements = fc.array(statement, { minLength: 1, maxLength: 4 });
  const thread = fc.record({ statements, section: fc.boolean(), forgets: fc.boolean() });
  return fc.array(thread, { minLength: 2, maxLength: 3 });
};

/** Nothing done at once and nothing merged; one of the two; both. */
const ways = [[false, false], [true, false], [false, true], [true, true]] as const; // biome-ignore format: a table

const RUNS = Number(process.env['PTLAB_RUNS'] ?? 120);
const SEED = Number(process.env['PTLAB_SEED'] ?? 7);

test.each(['arm64', 'tso', 'sc'] as const)('random programs, %s', (strength) => {
  let compared = 0;
  let faults = 0;
  let finals = 0;
  const states = [0, 0, 0, 0];
  fc.assert(
    fc.property(threads(15), fc.boolean(), (program, jumps) => {
      const slow = byPromises(build(program, jumps), strength);
      if (!slow) return;
      compared++;
      for (const [i, [eager, merge]] of ways.entries()) {
        const fast = byFlat(build(program, jumps), strength, eager, merge);
        states[i]! += fast.states;
        expect(fast.kind !== null).toBe(slow.kind !== null);
        if (slow.kind === null) expect(fast.finals).toEqual(slow.finals);
      }
      if (slow.kind !== null) faults++;
      finals += slow.finals.length;
    }),
    {
      numRuns: RUNS,
      seed: SEED,
      endOnFailure: true,
    },
  );
  expect(compared).toBeGreaterThan(60);
  expect(faults).toBeGreaterThan(2);
  expect(finals).toBeGreaterThan(compared);
  // Each reduction reduces.
  expect(states[3]).toBeLessThan(Math.min(states[1]!, states[2]!));
  expect(states[0]).toBeGreaterThan(Math.max(states[1]!, states[2]!));
});

/** `sys` with tasks that tell nobody where a loop comes back to its head. */
function unmarked(sys: System): System {
  const tasks = sys.tasks.map((t) => ({
    ...t,
    *run(s: System): Kernel {
      const g = t.run(s);
      for (let next = g.next(0); !next.done; ) {
        const { again, ...step } = next.value;
        next = g.next(yield step as Step);
      }
    },
  }));
  sys.tasks.splice(0, tasks.length, ...tasks);
  return sys;
}

test('random programs with loops: folding the turns and merging changes nothing', () => {
  let longest = 0;
  fc.assert(
    fc.property(threads(16), fc.boolean(), (program, jumps) => {
      fc.pre(program.some((t) => t.statements.some((s) => s.kind === 16)));
      const { kind, finals, states } = byFlat(
        unmarked(build(program, jumps)),
        'arm64',
        false,
        false,
      );
      longest = Math.max(longest, states);
      for (const [eager, merge] of ways) {
        const fast = byFlat(build(program, jumps), 'arm64', eager, merge);
        expect(fast.kind !== null).toBe(kind !== null);
        if (kind === null) expect(fast.finals).toEqual(finals);
      }
    }),
    { numRuns: RUNS / 4, seed: SEED, endOnFailure: true },
  );
  expect(longest).toBeGreaterThan(1000);
});

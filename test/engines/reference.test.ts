// The fast explorer against the slow obvious one, on random programs; and against itself with nothing joined or forgotten.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Grain, machine } from '../../src/engines/machine.js';
import { unpack } from '../../src/engines/packed.js';
import { exploreByRerun } from '../../src/engines/reference.js';
import { search } from '../../src/engines/search.js';
import { load } from '../../src/engines/states.js';
import type { Kernel, Step } from '../../src/linux/step.js';
import { lock, newSystem, region, type System, staticKey, table, task, walkCache } from '../../src/linux/system.js'; // biome-ignore format: one line
import { scenarios } from '../../src/scenarios/index.js';
import { type Row, rows } from '../../src/scenarios/rows.js';
import { schemes } from '../../src/schemes/index.js';

/** Places of the random systems: two words, an entry of a table, two tables, a rwsem, a mutex, a spinlock, two keys. */
interface Places {
  readonly words: number[];
  readonly tables: number[];
  readonly rwsem: number;
  readonly mutex: number;
  readonly spin: number;
  readonly keys: number[];
  readonly cache: number;
}

function layOut(variant: string[]): { sys: System; at: Places } {
  const sys = newSystem(schemes.none, variant);
  sys.textCpus.push(0, 1);
  const words = region(sys, 'words', 2, 'entries');
  const tables = [table(sys, 't0', 1), table(sys, 't1', 1)];
  sys.cells[words] = tables[0]! * 4 + 3;
  return {
    sys,
    at: {
      words: [words, words + 1],
      tables,
      rwsem: lock(sys, 'rwsem'),
      mutex: lock(sys, 'mutex'),
      spin: lock(sys, 'spin'),
      keys: [staticKey(sys, 'key', 3), staticKey(sys, 'other key', 3)],
      cache: walkCache(sys, 'cache'),
    },
  };
}

/** A statement: how many steps it takes at most, and what they are. */
type Statement = { [k: string]: number } & { kind: number };
const statement: fc.Arbitrary<Statement> = fc.record({
  kind: fc.nat(20),
  a: fc.nat(1),
  b: fc.nat(1),
  v: fc.nat(2),
});

function* one(sys: System, at: Places, s: Statement): Kernel {
  const word = at.words[s['a']!]!;
  const table = at.tables[s['b']!]!;
  const key = at.keys[s['b']!]!;
  const mode = s['a'] ? 'read' : 'write';
  const rwsem = { on: at.rwsem, kind: 'rwsem', mode } as const;
  switch (s.kind) {
    case 0:
      yield { op: 'write', on: word, value: s['v']!, mode: 'once' };
      return;
    case 1:
      if ((yield { op: 'read', on: word, mode: 'once' }) === s['v']) yield { op: 'write', on: at.words[s['b']!]!, value: 7, mode: 'once' }; // biome-ignore format: one line
      return;
    case 2:
      yield { op: 'rmw', on: word, fn: 'add', value: 1, mode: 'full' };
      return;
    case 3:
      yield { op: 'lock', ...rwsem };
      yield { op: 'rmw', on: word, fn: 'add', value: 1, mode: 'full' };
      yield { op: 'unlock', ...rwsem };
      return;
    case 4:
      if (yield { op: 'trylock', ...rwsem }) yield { op: 'unlock', ...rwsem };
      else yield { op: 'write', on: word, value: 9, mode: 'once' };
      return;
    case 5:
      yield { op: 'lock', on: at.mutex, kind: 'mutex', mode: 'write' };
      yield { op: 'lock', ...rwsem };
      yield { op: 'unlock', ...rwsem };
      yield { op: 'unlock', on: at.mutex, kind: 'mutex', mode: 'write' };
      return;
    case 6:
      yield { op: 'lock', ...rwsem };
      yield { op: 'lock', on: at.mutex, kind: 'mutex', mode: 'write' };
      yield { op: 'unlock', on: at.mutex, kind: 'mutex', mode: 'write' };
      yield { op: 'unlock', ...rwsem };
      return;
    case 7:
      yield { op: 'rcu', mode: 'lock' };
      yield { op: 'write', on: word, value: 5, mode: 'once' };
      yield { op: 'rcu', mode: 'unlock' };
      return;
    case 8:
      yield { op: 'gp', mode: 'begin' };
      yield { op: 'gp', mode: 'wait' };
      return;
    case 9:
      yield { op: 'free', on: table };
      return;
    case 10:
      yield { op: 'read', on: table, mode: 'once' };
      return;
    case 11:
      if (!sys.variant.has('jump-label')) return;
      yield { op: 'text', on: key, mode: 'patch', value: s['a']! };
      return;
    case 12:
      yield { op: 'write', on: word, value: yield { op: 'text', on: key, mode: 'test' }, mode: 'once' }; // biome-ignore format: one line
      return;
    case 13:
      yield { op: 'fence', mode: 'isb' };
      return;
    case 14:
      yield { op: 'ipi', cpu: s['a']! };
      return;
    case 15:
      yield { op: 'write', on: word, value: yield { op: 'choose', n: 2, what: 'luck' }, mode: 'once' }; // biome-ignore format: one line
      return;
    case 16:
      yield { op: 'lock', on: at.spin, kind: 'spinlock', mode: 'write' };
      yield s['v'] === 2 ? { op: 'might-sleep' } : { op: 'read', on: word, mode: 'once' };
      yield { op: 'unlock', on: at.spin, kind: 'spinlock', mode: 'write' };
      return;
    case 17:
      yield { op: 'hw-walk', on: at.cache, entry: at.words[0]! };
      return;
    case 18:
      yield { op: 'tlbi', mode: 'vaae1is' };
      return;
    case 19:
      yield { op: 'write', on: table, value: s['v']!, mode: 'once' };
      return;
    default:
      yield { op: 'key', on: at.keys[0]!, mode: (['enable', 'disable', 'inc', 'dec'] as const)[s['a']! * 2 + s['b']!]! }; // biome-ignore format: one line
  }
}

const program = fc.array(fc.array(statement, { minLength: 1, maxLength: 2 }), { minLength: 2, maxLength: 3 }); // biome-ignore format: one line
const variant = fc.subarray(['unfair', 'handoff', 'jump-label']);

function build(threads: Statement[][], names: string[]): System {
  const { sys, at } = layOut(names);
  threads.forEach((statements, i) => {
    task(sys, `t${i}`, i, function* () {
      for (const s of statements) yield* one(sys, at, s);
    });
  });
  return sys;
}

function fast(sys: System, grain: Grain) {
  const m = machine(sys, grain);
  const s = search(m, { maxStates: 1e6, exhaust: true });
  const finals = new Set<string>();
  const packed = new Int32Array(s.states.set.width);
  const state = new Int32Array(m.nodes.length + m.varying.length);
  for (const id of s.finals) {
    const cells = m.start.slice();
    load(s.states.set, id, packed);
    unpack(s.states.layout, packed, state);
    for (const [i, word] of m.varying.entries()) cells[word] = state[m.nodes.length + i]!;
    finals.add(cells.join());
  }
  return { kinds: [...s.kinds].sort(), finals: [...finals].sort(), complete: s.complete };
}

test('random programs: same verdicts and final states as the reference', () => {
  let compared = 0;
  let faults = 0;
  fc.assert(
    fc.property(program, variant, (threads, names) => {
      const slow = exploreByRerun(() => build(threads, names), 3_000);
      if (!slow.complete) return;
      compared++;
      const steps = fast(build(threads, names), 'steps');
      expect(steps).toEqual({ kinds: slow.kinds, finals: slow.finals, complete: true });
      const moves = fast(build(threads, names), 'moves');
      expect(moves.kinds.length > 0).toBe(slow.kinds.length > 0);
      expect(slow.kinds).toEqual(expect.arrayContaining(moves.kinds));
      if (slow.kinds.length === 0) expect(moves.finals).toEqual(slow.finals);
      else faults++;
    }),
    { numRuns: 300, seed: 4 },
  );
  expect(compared).toBeGreaterThan(150);
  expect(faults).toBeGreaterThan(15);
});

test('random programs: the first fault found is one of the shortest', () => {
  fc.assert(
    fc.property(program, variant, (threads, names) => {
      const slow = exploreByRerun(() => build(threads, names), 3_000);
      if (!slow.complete || slow.shortest === null) return;
      const m = machine(build(threads, names), 'steps');
      const s = search(m, { maxStates: 1e6 });
      let length = s.found!.code >= 0 ? 1 : 0;
      for (let at = s.found!.state; at > 0; at = s.from.data[at]!) length++;
      expect(length).toBe(slow.shortest);
    }),
    { numRuns: 200, seed: 5 },
  );
});

/** The row's system, its tasks without `forget`. */
function remembering(row: Row): System {
  const sys = scenarios[row.scenario].build(schemes[row.scheme], presets(row), row.variant);
  const tasks = sys.tasks.map((t) => ({
    ...t,
    *run(s: System): Kernel {
      const g = t.run(s);
      for (let next = g.next(0); !next.done; ) {
        const step: Step = next.value;
        next = g.next(step.op === 'forget' ? 0 : yield step);
      }
    },
  }));
  sys.tasks.splice(0, tasks.length, ...tasks);
  return sys;
}

const presets = (row: Row): Record<string, number> => ({
  ...Object.fromEntries(Object.entries(scenarios[row.scenario].sizes).map(([k, s]) => [k, s.preset])), // biome-ignore format: one line
  ...row.sizes,
});

const small = rows.filter((r) => !/2x2/.test(r.id));

test.each(small.map((r) => [r.id, r] as const))('%s: forgetting changes nothing', (_, row) => {
  const system = scenarios[row.scenario].build(schemes[row.scheme], presets(row), row.variant);
  const found = (sys: System) => search(machine(sys), { maxStates: 3e6 }).found?.fault.kind;
  expect(found(remembering(row))).toBe(found(system));
});

test.each(small.map((r) => [r.id, r] as const))('%s: joining changes nothing', (_, row) => {
  const build = () => scenarios[row.scenario].build(schemes[row.scheme], presets(row), row.variant);
  const found = (grain: Grain) => search(machine(build(), grain), { maxStates: 3e6 });
  const [moves, steps] = [found('moves'), found('steps')];
  expect(steps.complete || steps.found !== undefined).toBe(true);
  expect(steps.found?.fault.kind).toBe(moves.found?.fault.kind);
});

import { expect, test } from 'vitest';
import { raceWindows } from '../../src/analyses/race-windows.js';
import { sleepCosts } from '../../src/analyses/sleep-costs.js';
import { profiles } from '../../src/engines/cost.js';
import { begin, machine, move, movesOf } from '../../src/engines/machine.js';
import { logSink } from '../../src/engines/sim-log.js';
import { simulate } from '../../src/engines/simulate.js';
import { memoryWriter } from '../../src/events/file.js';
import { newMeta } from '../../src/events/meta.js';
import type { Trace } from '../../src/events/trace.js';
import { mmap_read_lock, mmap_read_unlock, mmap_write_lock, mmap_write_unlock } from '../../src/linux/lock.js'; // biome-ignore format: one line
import { rcu_read_lock, rcu_read_unlock, synchronize_rcu } from '../../src/linux/rcu.js';
import { sizesOf } from '../../src/linux/scenario.js';
import { trace, work } from '../../src/linux/sched.js';
import type { Kernel, Place, Step } from '../../src/linux/step.js';
import { lock, newSystem, type System, task } from '../../src/linux/system.js';
import { scenarios } from '../../src/scenarios/index.js';
import { schemes } from '../../src/schemes/index.js';
import { rowsOf } from '../traces.js';
import { runContext } from './timed.js';

const nobody = { event() {}, lock() {} };
const mesh = profiles['mesh-server'];

interface Move {
  readonly task: number;
  readonly step: Step;
  readonly outcome: number;
  readonly queued: boolean;
}

/** Run a small scenario in time; every move it makes. */
function schedule(sys: System, seed: string): Move[] {
  const moves: Move[] = [];
  const watch = (t: { id: number }, step: Step, outcome: number, queued: boolean) =>
    moves.push({ task: t.id, step, outcome, queued });
  const r = simulate(sys, {
    profile: mesh,
    seed,
    sink: nobody,
    cpus: 4,
    watch,
    limits: { time_ns: 1e9 },
  });
  expect([null, 'time_ns']).toContain(r.cut);
  return moves;
}

/** Make the same moves by the explorer's rules, step by step; the first that is not allowed, or -1. */
function refused(sys: System, moves: readonly Move[]): number {
  const m = machine(sys, 'steps');
  begin(m);
  for (const [i, c] of moves.entries()) {
    const t = sys.tasks[c.task]!;
    const step = m.automata[t.id]!.steps[m.nodes[t.id]!];
    const { n, queues } = movesOf(m, t);
    if (step?.op !== c.step.op || queues !== c.queued || c.outcome >= n) return i;
    move(m, t, c.outcome, c.queued);
    sys.fault = undefined;
  }
  return -1;
}

const all = Object.keys(schemes) as (keyof typeof schemes)[];

test.each(all)('%s: every schedule is one the explorer allows', (name) => {
  for (const [readers, freers] of [
    [1, 1],
    [2, 1],
    [2, 2],
  ]) {
    for (const seed of ['1', '2', '3']) {
      const build = () => {
        const s = scenarios['pmd-free'];
        const sizes = sizesOf(s, { readers: readers!, freers: freers!, tables: 2, walks: 2 });
        return s.build(schemes[name], sizes, ['handoff']);
      };
      const moves = schedule(build(), seed);
      expect(moves.length).toBeGreaterThan(10);
      expect(refused(build(), moves)).toBe(-1);
    }
  }
});

test('a schedule with a move taken away, or two swapped, is refused', () => {
  const build = () => {
    const s = scenarios['pmd-free'];
    return s.build(schemes.v1, sizesOf(s, { tables: 2, walks: 2 }), ['handoff']);
  };
  const moves = schedule(build(), '1');
  expect(refused(build(), moves)).toBe(-1);
  const at = moves.findIndex((c) => c.step.op === 'unlock');
  expect(refused(build(), moves.toSpliced(at, 1))).toBeGreaterThan(-1);
});

const bytes = (t: Trace): string =>
  JSON.stringify(rowsOf(t), (_, v) => (typeof v === 'bigint' ? String(v) : v));

test('the same seed gives the same bytes, another seed others', () => {
  const o = { scheme: 'v6', era: '6.18', gfp: 'GFP_KERNEL', context: 'task', loops: 8 } as const;
  const [a, b, c] = ['7', '7', '8'].map((seed) => bytes(runContext({ ...o, seed }).trace));
  expect(a).toBe(b);
  expect(a).not.toBe(c);
});

/** Writers that take the lock again and again, hardly ever resting, and readers between them. */
function crowd(): System {
  const sys = newSystem(schemes.none, ['handoff']);
  const mm = lock(sys, 'init_mm');
  const often = (n: number, us: number, write: boolean) =>
    function* (): Kernel {
      for (let i = 0; i < n; i++) {
        yield* write ? mmap_write_lock(mm) : mmap_read_lock(mm);
        yield* work('ptdump_entry', us * 125); // 8 ns each
        yield* write ? mmap_write_unlock(mm) : mmap_read_unlock(mm);
      }
    };
  for (let i = 0; i < 12; i++) task(sys, `writer${i}`, i, often(20, 400, true));
  for (let i = 0; i < 2; i++) task(sys, `reader${i}`, 12 + i, often(3, 60, false));
  return sys;
}

test('a crowd of writers: nobody waits for ever, by moves that the explorer allows', () => {
  const moves: Move[] = [];
  const asked = new Map<string, number>();
  const longest = { read: 0, write: 0 };
  simulate(crowd(), {
    profile: mesh,
    seed: '1',
    cpus: 14,
    watch: (t, step, outcome, queued) => moves.push({ task: t.id, step, outcome, queued }),
    sink: {
      event() {},
      lock(now, t, name, mode) {
        if (name === 'mmap_lock_start_locking') asked.set(t.task.name, now);
        if (name !== 'mmap_lock_acquire_returned') return;
        longest[mode] = Math.max(longest[mode], now - asked.get(t.task.name)!);
      },
    },
  });
  const handoffs = (mode: 'read' | 'write'): number =>
    moves.filter((m, i) => {
      const { step, queued, task: who } = m;
      if (!queued || step.op !== 'lock' || step.mode !== mode) return false;
      const before = moves.slice(0, i).findLast((o) => o.task === who);
      return before?.queued === true; // it stood in the queue already
    }).length;
  expect(handoffs('read')).toBeGreaterThan(0);
  expect(handoffs('write')).toBeGreaterThan(0);
  // A reader is behind 4 ms of the first in the queue at most, for each writer before it; without the handoff: the whole run.
  expect(longest.read).toBeLessThan(30e6);
  expect(refused(crowd(), moves)).toBe(-1);
});

test.each([
  ['events', { events: 50 }],
  ['steps', { steps: 50 }],
  ['time_ns', { time_ns: 50_000 }],
] as const)('a bound of %s is kept, also by a task that is alone and never ends', (by, limits) => {
  const sys = newSystem(schemes.none, ['handoff']);
  const mm = lock(sys, 'init_mm');
  task(sys, 'ever', 0, function* () {
    for (;;) {
      yield* mmap_read_lock(mm);
      yield* mmap_read_unlock(mm);
    }
  });
  const r = simulate(sys, { profile: mesh, seed: '1', sink: nobody, cpus: 1, limits });
  expect(r.cut).toBe(by);
  const [limit] = Object.values(limits);
  expect(r[by]).toBeGreaterThan(limit! / 2);
  expect(r[by]).toBeLessThanOrEqual(limit! + 3);
});

/** A run of hand-made tasks, each on a CPU of its own. */
function run(tasks: readonly ((mm: Place) => Kernel)[], hz = 250) {
  const sys = newSystem(schemes.none, ['handoff']);
  const mm = lock(sys, 'init_mm');
  for (const [cpu, t] of tasks.entries()) task(sys, `t${cpu}`, cpu, () => t(mm));
  const writer = memoryWriter(newMeta('test', 'run'));
  const profile = { ...mesh, hz };
  const sink = logSink(writer.log);
  const result = simulate(sys, { profile, seed: '1', sink, cpus: tasks.length });
  const rows = rowsOf(writer.finish(newMeta('test', 'run')));
  return { result, rows };
}

const holding = (us: number, write: boolean, before_us = 0) =>
  function* (mm: Place): Kernel {
    if (before_us > 0) yield* work('sleep', before_us * 1000);
    yield* write ? mmap_write_lock(mm) : mmap_read_lock(mm);
    yield* work('ptdump_entry', us * 125); // 8 ns each
    yield* write ? mmap_write_unlock(mm) : mmap_read_unlock(mm);
  };

const held = (rows: readonly Record<string, unknown>[], t: string) => {
  const of = (event: string) => rows.find((r) => r['task'] === t && r['event'] === event)!;
  const at = (event: string): number => Number(of(event)['ts_ns']);
  return {
    asked: at('mmap_lock_start_locking'),
    got: at('mmap_lock_acquire_returned'),
    left: at('mmap_lock_released'),
  };
};

test('a reader sleeps until the writer has left; readers share', () => {
  const { rows } = run([holding(500, true), holding(50, false, 100), holding(50, false, 120)]);
  const [w, a, b] = ['t0', 't1', 't2'].map((t) => held(rows, t));
  expect(a!.asked).toBeLessThan(w!.left);
  expect(a!.got).toBeGreaterThan(w!.left);
  expect(b!.got).toBeGreaterThan(w!.left);
  expect(a!.got).toBeLessThan(b!.left); // both inside at once
  expect(b!.got).toBeLessThan(a!.left);
  const slept = rows.filter((r) => r['event'] === 'contention_begin' && r['task'] === 't1');
  expect(slept).toHaveLength(1);
});

test('a writer spins while the writer it waits for runs: no contention event, no sleep', () => {
  const { rows } = run([holding(300, true), holding(10, true, 100)]);
  const [a, b] = ['t0', 't1'].map((t) => held(rows, t));
  expect(b!.got).toBeGreaterThan(a!.left);
  expect(b!.got - a!.left).toBeLessThan(2000);
  expect(rows.some((r) => r['event'] === 'contention_begin')).toBe(false);
});

test('a writer spins 10 to 25 us for readers, then queues; a later reader queues behind it', () => {
  const { rows } = run([holding(300, false), holding(100, true, 50), holding(10, false, 150)]);
  const [reader, writer, late] = ['t0', 't1', 't2'].map((t) => held(rows, t));
  const queued = rows.find((r) => r['event'] === 'contention_begin' && r['task'] === 't1')!;
  const spun = Number(queued['ts_ns']) - writer!.asked;
  expect(spun).toBeGreaterThanOrEqual(10_000);
  expect(spun).toBeLessThanOrEqual(25_100);
  expect(writer!.got).toBeGreaterThan(reader!.left);
  expect(late!.asked).toBeLessThan(reader!.left);
  expect(late!.got).toBeGreaterThan(writer!.left);
});

test('nested read locks with a writer between: stuck for ever, and said so', () => {
  const nested = function* (mm: Place): Kernel {
    yield* mmap_read_lock(mm);
    yield* work('ptdump_entry', 40000);
    yield* mmap_read_lock(mm);
    yield* mmap_read_unlock(mm);
    yield* mmap_read_unlock(mm);
  };
  const { result } = run([nested, holding(10, true, 50)]);
  expect(result.stuck).toEqual(['t0', 't1']);
});

test.each([[100, 10], [250, 4], [1000, 3]])('HZ=%i: a grace period takes ticks of the HZ rule', (hz, fqs_ms) => {
  const waits = function* (): Kernel {
    yield* work('sleep', 1_234_567);
    yield* work('sleep', 1); // from a time that is no tick
    yield* synchronize_rcu();
  };
  const { result } = run([waits], hz);
  const tick = 1e9 / hz;
  expect(result.time_ns).toBeGreaterThan(1_234_567 + fqs_ms * 1e6 - tick);
  expect(result.time_ns).toBeLessThan(1_234_567 + fqs_ms * 1e6 + 2 * tick);
}); // biome-ignore format: a table

test('who asks during a grace period waits for the next one, all for the same', () => {
  const asks = (after_us: number) =>
    function* (): Kernel {
      yield* work('sleep', after_us * 1000);
      yield* synchronize_rcu();
      yield* trace('print', { detail: 'over' });
    };
  const { rows } = run([asks(1000), asks(2000), asks(3000), asks(4000)]);
  const over = rows.filter((r) => r['event'] === 'print').map((r) => Math.round(Number(r['ts_ns']) / 1e6)); // biome-ignore format: one line
  // HZ=250: at most two ticks of 4 ms. The first asked at 1 ms; the others all within its period.
  expect(over).toEqual([8, 16, 16, 16]);
});

test('a grace period waits for a reader', () => {
  const reads = function* (): Kernel {
    yield* rcu_read_lock();
    yield* work('ptdump_entry', 2_500_000); // 20 ms
    yield* rcu_read_unlock();
  };
  const waits = function* (): Kernel {
    yield* work('sleep', 100_000);
    yield* synchronize_rcu();
  };
  expect(run([reads, waits]).result.time_ns).toBeGreaterThan(15e6);
});

const verdict = (o: Parameters<typeof runContext>[0]) => {
  const { trace, result } = runContext({ loops: 12, ...o });
  expect(result.cut).toBeNull();
  const a = sleepCosts(trace);
  const called = a.by_context.filter((c) => c.context.startsWith(o.gfp) && c.role === 'vmalloc');
  return {
    violations: called.reduce((n, c) => n + c.violations, 0),
    frees: raceWindows(trace).frees.total ?? 0,
    trace,
  };
};

test('6.12: a caller that cannot sleep is reported under every scheme, even none', () => {
  for (const scheme of ['none', 'v6', 'trylock'] as const) {
    const base = { scheme, era: '6.12', gfp: 'GFP_ATOMIC' } as const;
    expect(verdict({ ...base, context: 'preempt_disable' }).violations).toBeGreaterThan(0);
    expect(verdict({ ...base, context: 'spinlock' }).violations).toBeGreaterThan(0);
    expect(verdict({ ...base, context: 'task' }).violations).toBe(0); // ATOMIC, but may sleep
  }
});

test('6.19: NOWAIT and ATOMIC never map blocks, so no scheme is met', () => {
  for (const scheme of ['none', 'v1', 'v6', 'percpu-clear', 'trylock'] as const)
    for (const gfp of ['GFP_NOWAIT', 'GFP_ATOMIC'] as const) {
      const v = verdict({ scheme, era: '6.19', gfp, context: 'preempt_disable' });
      expect([scheme, v.violations, v.frees]).toEqual([scheme, 0, 0]);
    }
  const bad = verdict({
    scheme: 'none',
    era: '6.19',
    gfp: 'GFP_KERNEL',
    context: 'preempt_disable',
  });
  expect(bad.violations).toBeGreaterThan(0);
});

test('6.19, what if blocks were allowed there: v1 and percpu always break the rule, v6 under a dump, trylock never', () => {
  const what = (scheme: keyof typeof schemes, readers: number) =>
    verdict({ scheme, era: '6.19', gfp: 'GFP_ATOMIC', context: 'preempt_disable', whatIf: true, readers });
  for (const scheme of ['v1', 'percpu-clear'] as const) {
    const v = what(scheme, 0);
    expect(v.frees).toBe(12);
    expect(v.violations).toBeGreaterThanOrEqual(v.frees);
  }
  expect(what('v6', 0)).toMatchObject({ violations: 0, frees: 12 });
  expect(what('v6', 1).violations).toBeGreaterThan(0);
  for (const scheme of ['none', 'trylock', 'rcu-free', 'async-free'] as const)
    expect([scheme, what(scheme, 1).violations]).toEqual([scheme, 0]);
}); // biome-ignore format: one line

test("violations stand in the kernel's words, with their fields", () => {
  const { trace } = verdict({ scheme: 'v1', era: '6.19', gfp: 'GFP_ATOMIC', context: 'preempt_disable', whatIf: true }); // biome-ignore format: one line
  const bugs = rowsOf(trace).filter((r) => /^BUG: sleeping/.test(String(r['detail'])));
  expect(bugs.length).toBeGreaterThan(0);
  for (const b of bugs) {
    expect(b['task']).toBe('caller');
    expect(String(b['detail'])).toMatch(
      /^BUG: sleeping function called from invalid context at kernel\/locking\/rwsem\.c:0\nin_atomic\(\): 1, irqs_disabled\(\): 0, non_block: 0, pid: \d+, name: caller\npreempt_count: 1, expected: 0/,
    );
  }
});

test('without a lock a dump reads freed tables; with a scheme it does not', () => {
  const seeds = Array.from({ length: 6 }, (_, i) => String(i));
  const uaf = (scheme: keyof typeof schemes) =>
    seeds.flatMap((seed) =>
      rowsOf(
        runContext({ scheme, era: '6.18', gfp: 'GFP_KERNEL', context: 'task', seed, readers: 2 }).trace,
      ).filter((r) => /use-after-free/.test(String(r['detail']))),
    ).length; // biome-ignore format: one chain
  expect(uaf('none')).toBeGreaterThan(0);
  expect(uaf('v6')).toBe(0);
  expect(uaf('trylock')).toBe(0);
});

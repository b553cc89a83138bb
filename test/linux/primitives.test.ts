// The rules of the locks, RCU and static keys (kernel/locking/rwsem.c, kernel/rcu, kernel/jump_label.c), one at a time.
import { expect, test } from 'vitest';
import type { Lock, Step } from '../../src/linux/step.js';
import {
  BLOCKED,
  outcomes,
  perform,
  QUEUES,
  queue,
  READY,
  ready,
} from '../../src/linux/system/act.js';
import {
  lock,
  newSystem,
  region,
  type System,
  staticKey,
  table,
  task,
} from '../../src/linux/system.js';
import { none } from '../../src/schemes/none.js';

function machine(variant: string[] = []) {
  const sys: System = newSystem(none, variant);
  sys.textCpus.push(0, 1);
  const on = lock(sys, 'lock');
  const key = staticKey(sys, 'key', 3);
  const tasks = [0, 1, 2, 3].map((i) => task(sys, `t${i}`, i, function* () {}));
  const is = (t: number, step: Step) => ready(sys, tasks[t]!, step);
  const act = (t: number, step: Step, outcome = 0) => perform(sys, tasks[t]!, step, outcome);
  const waits = (t: number, step: Step) => queue(sys, tasks[t]!, step);
  return { sys, on, key, tasks, is, act, waits };
}
const read = (on: number): Lock => ({ op: 'lock', on, kind: 'rwsem', mode: 'read' });
const write = (on: number): Lock => ({ op: 'lock', on, kind: 'rwsem', mode: 'write' });
const unlock = (l: Lock): Step => ({ ...l, op: 'unlock' });
const attempt = (l: Lock): Step => ({ ...l, op: 'trylock' });

test('readers share, a writer does not', () => {
  const { on, is, act } = machine();
  act(0, read(on));
  expect([is(1, read(on)), is(1, write(on))]).toEqual([READY, QUEUES]);
  act(1, read(on));
  act(0, unlock(read(on)));
  expect(is(2, write(on))).toBe(QUEUES);
  act(1, unlock(read(on)));
  expect(is(2, write(on))).toBe(READY);
});

test('a queued writer blocks the second reader, nested or not, and every trylock', () => {
  const { on, is, act, waits } = machine();
  act(0, read(on));
  waits(1, write(on));
  expect([is(0, read(on)), is(2, read(on)), is(1, write(on))]).toEqual([QUEUES, QUEUES, BLOCKED]);
  expect(act(2, attempt(read(on)))).toBe(0);
  const unfair = machine(['unfair']);
  unfair.act(0, read(unfair.on));
  expect(unfair.is(0, read(unfair.on))).toBe(READY);
});

test('a trylock fails while a writer waits although nobody holds the lock', () => {
  const { on, is, act, waits } = machine();
  act(0, read(on));
  waits(1, write(on));
  act(0, unlock(read(on)));
  expect(act(2, attempt(read(on)))).toBe(0);
  expect(is(2, read(on))).toBe(READY); // but down_read may steal: no lock bits, no handoff
});

test('after a writer, all queued readers get in at once, whoever queues behind them', () => {
  const { on, is, act, waits } = machine();
  act(0, write(on));
  waits(1, read(on));
  waits(2, write(on));
  waits(3, read(on));
  expect([is(1, read(on)), is(3, read(on))]).toEqual([BLOCKED, BLOCKED]);
  act(0, unlock(write(on)));
  expect(is(1, read(on))).toBe(READY);
  act(1, read(on));
  expect([is(3, read(on)), is(2, write(on))]).toEqual([READY, BLOCKED]);
  act(3, read(on));
  act(1, unlock(read(on)));
  expect(is(2, write(on))).toBe(BLOCKED);
  act(3, unlock(read(on)));
  expect(is(2, write(on))).toBe(READY);
});

test('handoff: the first waiter gets the lock, nobody steals it', () => {
  const { on, is, act, waits } = machine(['handoff']);
  act(0, read(on));
  waits(1, write(on));
  expect(is(1, write(on))).toBe(QUEUES); // it may ask for the handoff
  waits(1, write(on));
  act(0, unlock(read(on)));
  expect([is(2, read(on)), is(2, write(on)), is(1, write(on))]).toEqual([QUEUES, QUEUES, READY]);
  act(1, write(on));
  act(1, unlock(write(on)));
  expect(is(2, read(on))).toBe(READY);
});

test('handoff to a reader: asked for while a writer holds the lock, it keeps all others out', () => {
  const { on, is, act, waits } = machine(['handoff']);
  act(0, write(on));
  waits(1, read(on));
  waits(2, read(on));
  expect([is(1, read(on)), is(2, read(on))]).toEqual([QUEUES, BLOCKED]); // only for the first
  waits(1, read(on));
  expect(is(1, read(on))).toBe(BLOCKED); // asked for
  act(0, unlock(write(on)));
  expect([is(3, write(on)), is(3, read(on)), act(3, attempt(read(on)))]).toEqual([QUEUES, QUEUES, 0]); // biome-ignore format: one line
  act(1, read(on));
  act(2, read(on));
  act(1, unlock(read(on)));
  act(2, unlock(read(on)));
  expect(is(3, write(on))).toBe(READY); // the promise was kept
});

test('a lock holds as many waiters as a run has tasks', () => {
  const sys = newSystem(none, []);
  const on = lock(sys, 'lock');
  const tasks = Array.from({ length: 30 }, (_, i) => task(sys, `t${i}`, i, function* () {}));
  perform(sys, tasks[0]!, write(on));
  for (const t of tasks.slice(1)) queue(sys, t, read(on));
  perform(sys, tasks[0]!, unlock(write(on)));
  for (const t of tasks.slice(1)) {
    expect(ready(sys, t, read(on))).toBe(READY);
    perform(sys, t, read(on));
  }
  for (const t of tasks.slice(1)) perform(sys, t, unlock(read(on)));
  expect(ready(sys, tasks[0]!, write(on))).toBe(READY);
});

test('to release what one does not hold is a mistake in the model', () => {
  const { on, act } = machine();
  expect(() => act(0, unlock(read(on)))).toThrow(/t0 releases a lock it does not hold/);
});

test('a grace period waits for the sections open at its begin, not for later ones', () => {
  const { is, act } = machine();
  const [enter, leave] = (['lock', 'unlock'] as const).map((mode): Step => ({ op: 'rcu', mode }));
  act(0, enter!);
  act(1, { op: 'gp', mode: 'begin' });
  act(2, enter!);
  expect(is(1, { op: 'gp', mode: 'wait' })).toBe(BLOCKED);
  act(0, enter!);
  act(0, leave!);
  expect(is(1, { op: 'gp', mode: 'wait' })).toBe(BLOCKED); // nested: still open
  act(0, leave!);
  expect(is(1, { op: 'gp', mode: 'wait' })).toBe(READY);
});

test('patched text: a CPU may lag until an ISB or an IPI', () => {
  const { sys, key, tasks, act } = machine(['jump-label']);
  const branch: Step = { op: 'text', on: key, mode: 'test' };
  act(2, { op: 'text', on: key, mode: 'patch', value: 1 });
  expect(outcomes(sys, tasks[0]!, branch)).toBe(2);
  expect([act(0, branch, 0), act(0, branch, 1)]).toEqual([0, 1]);
  act(0, { op: 'fence', mode: 'isb' });
  expect([outcomes(sys, tasks[0]!, branch), act(0, branch)]).toEqual([1, 1]);
  expect(outcomes(sys, tasks[1]!, branch)).toBe(2);
  act(2, { op: 'ipi', cpu: 1 });
  expect([outcomes(sys, tasks[1]!, branch), act(1, branch)]).toEqual([1, 1]);
});

test('static keys: enable does not count, inc does', () => {
  const { sys, key, act } = machine();
  const say = (mode: 'enable' | 'disable' | 'inc' | 'dec') => {
    act(0, { op: 'key', on: key, mode });
    return [sys.cells[key], act(0, { op: 'text', on: key, mode: 'test' })];
  };
  expect([say('enable'), say('enable'), say('disable')]).toEqual([[1, 1], [1, 1], [0, 0]]); // biome-ignore format: one line
  expect([say('inc'), say('inc'), say('dec'), say('dec')]).toEqual([[1, 1], [2, 1], [1, 1], [0, 0]]); // biome-ignore format: one line
  say('inc');
  expect([say('inc'), say('disable')]).toEqual([
    [2, 1],
    [2, 1],
  ]); // disable of a counted key: a warning, no act
});

test('a freed table is poison, to free it twice a bug of its own', () => {
  const { sys, act } = machine();
  const t = table(sys, 'table', 4);
  act(0, { op: 'read', on: t + 3, mode: 'once' });
  expect(sys.fault).toBeUndefined();
  act(0, { op: 'free', on: t });
  act(0, { op: 'read', on: t + 3, mode: 'once' });
  expect(sys.fault?.kind).toBe('use after free');
  sys.fault = undefined;
  act(0, { op: 'free', on: t });
  expect(sys.fault).toMatchObject({ kind: 'double free' });
});

test.each([
  ['a spinlock', { op: 'lock', kind: 'spinlock', mode: 'write', on: 0 }],
  ['preemption off', { op: 'context', mode: 'atomic' }],
  ['an RCU section', { op: 'rcu', mode: 'lock' }],
] as const)('%s forbids sleeping, contended or not', (_, enter) => {
  const { sys, on, act } = machine();
  const spin = lock(sys, 'spin');
  act(0, 'on' in enter ? { ...enter, on: spin } : enter);
  act(0, attempt(read(on)));
  expect(sys.fault).toBeUndefined(); // a trylock does not sleep
  act(1, read(on));
  expect(sys.fault).toBeUndefined(); // nor is it another task's business
  act(0, read(on));
  expect(sys.fault?.kind).toBe('sleeping in atomic context');
});

test('words outside every region are a wild access', () => {
  const { sys, act } = machine();
  region(sys, 'word');
  act(0, { op: 'read', on: 3, mode: 'once' });
  expect(sys.fault?.kind).toBe('wild access');
});

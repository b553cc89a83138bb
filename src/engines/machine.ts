// A system under sequential consistency as a state machine: a state is the node of each task's automaton and the words
// that vary. A move is one step of one task with one outcome, and with it all that need no scheduling point after it.
import type { Step } from '../linux/step.js';
import { BLOCKED, outcomes, perform, QUEUES, queue, READY, ready } from '../linux/system/act.js';
import { nameOf, type System, type Task } from '../linux/system.js';
import { type Automaton, automaton, follow } from './automaton.js';
import { type Footprints, footprints, isLocal, learn } from './footprint.js';

/** Told of each step that was done: task, step, result, whether the task only joined a queue, the outcome picked. */
export type Watch = (task: Task, step: Step, result: number, queued: boolean, outcome: number) => void; // biome-ignore format: one line

/** What may be joined to a move; tests turn it off to see that verdicts do not change. */
export type Grain = 'moves' | 'steps';

export interface Machine {
  readonly sys: System;
  readonly automata: readonly Automaton[];
  readonly footprints: Footprints;
  readonly grain: Grain;
  /** Start values of all words. */
  readonly start: Float64Array;
  /** Least and greatest value each word was seen to hold, and what divides their differences. A pure matter of speed. */
  readonly least: Float64Array;
  readonly most: Float64Array;
  readonly unit: Float64Array;
  /** The words that some step may write. */
  varying: number[];
  /** Current node of each task; the words are in `sys.cells`. */
  readonly nodes: Int32Array;
  /** Per task and node: 0 not known, 1 local, 2 not. */
  readonly local: Uint8Array[];
  version: number;
  /** Told of each step that something depends on: whether it can be done, with how many outcomes, what it does. */
  asked?: (task: Task, step: Step) => void;
}

/** More steps than that without a scheduling point are a loop. */
const ENDLESS = 100_000;

/** So many steps of a task that repeat each other are a loop that waits. */
const MAX_REPEATED = 2000;

export function machine(sys: System, grain: Grain = 'moves'): Machine {
  const m: Machine = {
    sys,
    automata: sys.tasks.map((t) => automaton(sys, t)),
    footprints: footprints(sys),
    grain,
    start: sys.cells.slice(0, sys.used),
    least: sys.cells.slice(0, sys.used),
    most: sys.cells.slice(0, sys.used),
    unit: new Float64Array(sys.used),
    varying: [],
    nodes: new Int32Array(sys.tasks.length),
    local: sys.tasks.map(() => new Uint8Array(64)),
    version: -1,
  };
  for (const a of m.automata) if (a.steps[0]) learn(m.footprints, sys, a.task, a.steps[0]);
  return m;
}

/** Forget what depends on who touches what, as it is known now; true if there was anything new. */
export function refresh(m: Machine): boolean {
  if (m.version === m.footprints.version) return false;
  m.version = m.footprints.version;
  m.varying = [];
  m.footprints.writers.forEach((mask, word) => {
    if (mask !== 0) m.varying.push(word);
  });
  for (const l of m.local) l.fill(0);
  return true;
}

/** Width of a state. */
export const width = (m: Machine): number => m.nodes.length + m.varying.length;

/** @throws RangeError where a word holds no integer of 32 bits: a state has no room for it. */
export function save(m: Machine, state: Int32Array): void {
  const n = m.nodes.length;
  for (let i = 0; i < n; i++) state[i] = m.nodes[i]!;
  for (let i = 0; i < m.varying.length; i++) {
    const value = m.sys.cells[m.varying[i]!]!;
    state[n + i] = value;
    if (state[n + i] !== value)
      throw new RangeError(`${nameOf(m.sys, m.varying[i]!)} holds ${value}: the explorer keeps words of 32 bits`); // biome-ignore format: one line
  }
}

export function restore(m: Machine, state: Int32Array): void {
  const n = m.nodes.length;
  for (let i = 0; i < n; i++) m.nodes[i] = state[i]!;
  for (let i = 0; i < m.varying.length; i++) m.sys.cells[m.varying[i]!] = state[n + i]!;
  m.sys.fault = undefined;
}

function advance(m: Machine, task: Task, result: number): void {
  const a = m.automata[task.id]!;
  const before = a.steps.length;
  const node = follow(m.sys, a, m.nodes[task.id]!, result);
  m.nodes[task.id] = node;
  const next = a.steps[node];
  if (a.repeated[node]! > MAX_REPEATED) throw endless(m, task);
  if (next && a.steps.length > before) learn(m.footprints, m.sys, task, next);
}

function nodeIsLocal(m: Machine, task: Task, node: number, step: Step): boolean {
  let known = m.local[task.id]!;
  if (node >= known.length) {
    known = new Uint8Array(2 * node);
    known.set(m.local[task.id]!);
    m.local[task.id] = known;
  }
  if (known[node] === 0) known[node] = isLocal(m.footprints, m.sys, task, step) ? 1 : 2;
  return known[node] === 1;
}

/** Do the steps of `task` that need no scheduling point before them. */
export function runOn(m: Machine, task: Task, joined: boolean, watch?: Watch): void {
  if (m.grain === 'steps') return;
  let join = joined;
  for (let i = 0; i < ENDLESS; i++) {
    const node = m.nodes[task.id]!;
    const step = m.automata[task.id]!.steps[node];
    if (!step || m.sys.fault) return;
    if (!join && !nodeIsLocal(m, task, node, step)) return;
    m.asked?.(task, step);
    if (ready(m.sys, task, step) !== READY || outcomes(m.sys, task, step) !== 1) return;
    const result = perform(m.sys, task, step);
    watch?.(task, step, result, false, 0);
    advance(m, task, result);
    join = step.joined === true;
  }
  throw endless(m, task);
}

/** The error of a task that goes on for ever where it stands. */
function endless(m: Machine, task: Task): RangeError {
  const step = m.automata[task.id]!.steps[m.nodes[task.id]!]!;
  const at = `${step.by ?? step.op}(${'on' in step && step.on ? nameOf(m.sys, step.on) : ''})`;
  return new RangeError(`${task.name} goes round in a loop at ${at} that never ends; to wait for a word use a 'wait' step, not a loop that reads it`); // biome-ignore format: one line
}

/** The start: all words as laid out, each task before its first step that others can see. */
export function begin(m: Machine, watch?: Watch): void {
  m.sys.cells.set(m.start);
  m.sys.fault = undefined;
  m.nodes.fill(0);
  for (const task of m.sys.tasks) runOn(m, task, false, watch);
}

/** How many moves `task` has here: 0 if it has ended or must wait; `waits` tells whether it only queues. */
export function movesOf(m: Machine, task: Task): { n: number; queues: boolean } {
  const step = m.automata[task.id]!.steps[m.nodes[task.id]!];
  if (step) m.asked?.(task, step);
  const is = step ? ready(m.sys, task, step) : BLOCKED;
  if (!step || is === BLOCKED) return NONE;
  if (is === QUEUES) return QUEUE;
  const n = outcomes(m.sys, task, step);
  return n === 1 ? ONE : { n, queues: false };
}
const NONE = { n: 0, queues: false };
const ONE = { n: 1, queues: false };
const QUEUE = { n: 1, queues: true };

/** Make move `outcome` of `task`. */
export function move(
  m: Machine,
  task: Task,
  outcome: number,
  queues: boolean,
  watch?: Watch,
): void {
  const step = m.automata[task.id]!.steps[m.nodes[task.id]!]!;
  if (queues) {
    queue(m.sys, task, step);
    watch?.(task, step, 0, true, 0);
    return;
  }
  const result = perform(m.sys, task, step, outcome);
  watch?.(task, step, result, false, outcome);
  advance(m, task, result);
  runOn(m, task, step.joined === true, watch);
}

/** Tasks that must come to their end and have not. */
export const unfinished = (m: Machine): Task[] =>
  m.sys.tasks.filter((t) => !t.daemon && m.automata[t.id]!.steps[m.nodes[t.id]!] !== undefined);

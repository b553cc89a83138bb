// Breadth-first search of a system under out-of-order execution: each state once, however many orders of messages lead there.
import type { Fault, System } from '../../linux/system.js';
import { type Ints, intern, ints, load, push, type StateSet, stateSet } from '../states.js';
import { makeOn } from './flat-alone.js';
import { Grown } from './flat-known.js';
import { type FlatMachine, type FlatOptions, flatMachine, localOf, mergeFutures, restart } from './flat-machine.js'; // biome-ignore format: one line
import { movesOf } from './flat-moves.js';
import { results } from './flat-results.js';

export interface FlatSearchOptions extends FlatOptions {
  readonly maxStates: number;
  /** Let one position of a task stand for all that have the same future. */
  readonly merge: boolean;
  /** Go on after the first fault, and gather the kinds of all, and final words of memory. */
  readonly exhaust?: boolean;
  readonly progress?: (states: number) => void;
}

/** What went wrong, and who did it. */
export interface FlatFault {
  readonly task: number;
  readonly fault: Fault;
}

export interface FlatSearch {
  readonly states: StateSet;
  transitions: number;
  /** Of each state: the state it was first reached from, the task and number of the move, its result. */
  readonly from: Ints;
  readonly by: Ints;
  readonly result: Ints;
  readonly words: readonly number[];
  readonly faults: FlatFault[];
  /** The first state in which something has gone wrong and nothing is under way. */
  found: { readonly state: number; readonly fault: FlatFault } | undefined;
  readonly kinds: Set<string>;
  /** States in which all tasks have ended, without fault. */
  readonly finals: number[];
  cutOff: boolean;
}

/** One search with what is known; throws Grown if it met something new. */
class Attempt {
  readonly s: FlatSearch;
  private readonly n: number;
  private readonly here: Int32Array;
  private readonly scratch: Int32Array;

  constructor(
    readonly m: FlatMachine,
    readonly options: FlatSearchOptions,
  ) {
    const words = [...m.known.varying];
    this.n = m.at.length;
    const width = this.n + words.length + 1;
    this.here = new Int32Array(width);
    this.scratch = new Int32Array(width);
    this.s = { states: stateSet(width), transitions: 0, from: ints(), by: ints(), result: ints(), words, faults: [], found: undefined, kinds: new Set(), finals: [], cutOff: false }; // biome-ignore format: one line
  }

  private save(fault: number): void {
    const { m, n, scratch, s } = this;
    for (let i = 0; i < n; i++) scratch[i] = m.at[i]!;
    const { cells } = m.sys;
    for (let i = 0; i < s.words.length; i++) scratch[n + i] = cells[s.words[i]!]!;
    scratch[n + s.words.length] = fault;
  }

  private restore(): void {
    const { m, n, here, s } = this;
    for (let i = 0; i < n; i++) m.at[i] = here[i]!;
    const { cells } = m.sys;
    for (let i = 0; i < s.words.length; i++) cells[s.words[i]!] = here[n + i]!;
    m.sys.fault = undefined;
  }

  private arrive(
    from: number,
    by: number,
    result: number,
    faultBefore: number,
    task: number,
  ): void {
    const { s, m } = this;
    let fault = faultBefore;
    if (m.sys.fault && fault === 0) {
      const f = m.sys.fault;
      const at = s.faults.findIndex((x) => x.task === task && x.fault.kind === f.kind && x.fault.on === f.on); // biome-ignore format: one line
      fault = at >= 0 ? at + 1 : s.faults.push({ task, fault: f });
    }
    this.save(fault);
    const id = intern(s.states, this.scratch);
    if (id < s.from.length) return;
    push(s.from, from);
    push(s.by, by);
    push(s.result, result);
    if (fault === 0) return;
    for (let t = 0; t < this.n; t++) if (localOf(m, t).busy) return;
    const found = s.faults[fault - 1]!;
    s.found ??= { state: id, fault: found };
    s.kinds.add(found.fault.kind);
  }

  private expand(id: number): void {
    const { s, m, here } = this;
    load(s.states, id, here);
    const fault = here[here.length - 1]!;
    this.restore();
    let idle = true;
    for (let t = 0; t < this.n; t++) {
      const local = localOf(m, t);
      if (local.busy || (!local.ended && !m.sys.tasks[t]!.daemon)) idle = false;
    }
    if (idle && fault === 0) s.finals.push(id);
    for (let t = 0; t < this.n; t++) {
      const moves = movesOf(m.seats[t]!, here[t]!);
      for (let i = 0; i < moves.length; i++) {
        const move = moves[i]!;
        for (const result of results(m, t, move)) {
          const stands = makeOn(m, t, move, result);
          s.transitions++;
          if (stands) this.arrive(id, t + 32 * i, result, fault, t);
          this.restore();
        }
      }
    }
  }

  run(): FlatSearch {
    const { s, m, options } = this;
    restart(m);
    this.arrive(-1, 0, 0, 0, 0);
    for (let id = 0; id < s.states.count; id++) {
      if (s.found && !options.exhaust) return s;
      if (s.states.count > options.maxStates) {
        s.cutOff = true;
        return s;
      }
      this.expand(id);
      if ((id & 0xfff) === 0xfff) options.progress?.(s.states.count);
    }
    s.cutOff = m.known.narrow;
    return s;
  }
}

/** One move of `task`, the first that can be made; false if it has none. */
function scoutMove(m: FlatMachine, task: number): boolean {
  for (const move of movesOf(m.seats[task]!, m.at[task]!)) {
    const result = results(m, task, move)[0];
    if (result === undefined) continue;
    makeOn(m, task, move, result);
    m.sys.fault = undefined;
    return true;
  }
  return false;
}

/** Learn from a few runs, each task first once to its end and once by turns, so that searches seldom start again. Only speed. */
function scout(m: FlatMachine): void {
  const tasks = m.sys.tasks.map((t) => t.id);
  for (let run = 0; run < 2 * tasks.length; ) {
    try {
      restart(m);
      const turns = tasks.map((_, i) => tasks[(run + i) % tasks.length]!);
      if (run < tasks.length) for (let n = 0; n < SCOUTED && scoutMove(m, turns[0]!); n++);
      for (let n = 0; n < SCOUTED && turns.filter((t) => scoutMove(m, t)).length > 0; n++);
      run++;
    } catch (e) {
      if (!(e instanceof Grown)) throw e;
    }
  }
}
const SCOUTED = 1000;

/** Search every run of `sys`; starts again whenever it meets something that was taken for granted otherwise. */
export function searchFlat(
  sys: System,
  options: FlatSearchOptions,
): { m: FlatMachine; s: FlatSearch } {
  const m = flatMachine(sys, options);
  scout(m);
  for (;;) {
    if (options.merge) mergeFutures(m);
    m.known.narrow = false;
    try {
      return { m, s: new Attempt(m, options).run() };
    } catch (e) {
      if (!(e instanceof Grown)) throw e;
    }
  }
}

/** The word at `at` in state `id`. */
export function wordAt(m: FlatMachine, s: FlatSearch, id: number, at: number): number {
  const state = new Int32Array(s.states.width);
  load(s.states, id, state);
  const i = s.words.indexOf(at);
  return i < 0 ? m.known.start[at]! : state[m.at.length + i]!;
}

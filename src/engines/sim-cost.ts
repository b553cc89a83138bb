// How long a step takes in a timed run: its price, the way of the cache line it writes, the patching of a key.
import type { Place, Step } from '../linux/step.js';
import { draw } from './draw.js';
import type { Sim, Thread } from './sim-state.js';
import { costOf, FREE, KEY, LOCK, RMW, TRYLOCK, timesOf, UNLOCK, WRITE } from './step-code.js';

/** Words were laid out since: room for their lines. */
function growLines(sim: Sim): void {
  const owner = new Int16Array(sim.sys.cells.length);
  owner.set(sim.owner);
  sim.owner = owner;
  const free = new Float64Array(sim.sys.cells.length);
  free.set(sim.lineFree);
  sim.lineFree = free;
}

/** A store or atomic at `on`: its line must come here, and one CPU has it at a time. */
function lineCost(sim: Sim, t: Thread, on: Place, own: number): number {
  if (on >= sim.owner.length) growLines(sim);
  const { owner, lineFree, now } = sim;
  const last = owner[on]! - 1;
  owner[on] = t.cpu + 1;
  const free = lineFree[on]!;
  const starts = Math.max(free, now);
  let cost = own;
  if (last >= 0 && last !== t.cpu) {
    const { socket } = sim.profile;
    const near = Math.floor(last / socket) === Math.floor(t.cpu / socket);
    cost += draw(sim.random, near ? sim.lineNear : sim.lineFar);
  }
  lineFree[on] = starts + cost;
  return starts - now + cost;
}

/**
 * Patching goes under jump_label_mutex, one at a time; counting does not. The new text stands after the first part of it
 * (what follows is the IPI round, which the task waits for): the rest is left in `t.after`.
 */
function keyCost(sim: Sim, t: Thread, step: Extract<Step, { op: 'key' }>): number {
  const on = sim.sys.cells[step.on]!;
  const flips = step.mode === 'enable' || step.mode === 'inc' ? on === 0 : on === 1;
  if (!flips) return draw(sim.random, sim.tables.costs['key count']);
  const starts = Math.max(sim.now, sim.keyFree);
  const flip = draw(sim.random, sim.tables.costs['key flip']);
  const patch = Math.round(flip * sim.profile.patch_share);
  sim.keyFree = starts + flip;
  // Where the time from off to the next on was measured, switching off lies in it.
  const off = step.mode === 'disable' || step.mode === 'dec';
  t.after = off && sim.offInSegments ? 0 : flip - patch;
  return starts - sim.now + (off && sim.offInSegments ? 0 : patch);
}

/** Time the step of `t` takes, from now on. */
export function durationOf(sim: Sim, t: Thread, step: Step): number {
  const { code } = t;
  if (code === KEY) return keyCost(sim, t, step as Extract<Step, { op: 'key' }>);
  const price = costOf(step, code);
  if (price === FREE) return 0;
  const one = draw(sim.random, sim.tables.byNumber[price]!);
  const times = timesOf(step, code);
  const own = times === 1 ? one : Math.round(one * times);
  return code === WRITE || code === LOCK || code === UNLOCK || code === RMW || code === TRYLOCK
    ? lineCost(sim, t, t.on, own)
    : own;
}

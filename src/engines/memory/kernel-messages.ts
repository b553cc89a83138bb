// Messages of the promising model for modelled kernel code: writes, and the acts of locks, static keys, IPIs and grace
// periods, which are primitives with view transfer. A message's place in the memory is its timestamp.
import type { Step } from '../../linux/step.js';
import { regionOf, type System } from '../../linux/system.js';

/** `value`: what is written; of a lock 1 for write, 0 for read; of a key its new count; of a gp 0 begin, 1 end. */
export interface Message {
  readonly who: number;
  readonly kind: 'write' | 'free' | 'lock' | 'unlock' | 'key' | 'text' | 'ipi' | 'gp';
  /** The word, the table's first entry, the lock, the key; of an IPI the CPU; of a gp the task. */
  readonly on: number;
  readonly value: number;
  readonly step: Step;
}

/** Messages by number; equal ones (but for `step`) have the same. A memory is a list of numbers from index 1. */
export interface Messages {
  readonly list: Message[];
  readonly byKey: Map<string, number>;
}

export const messages = (): Messages => ({ list: [], byKey: new Map() });

/** The number of `m`. */
export function intern(all: Messages, m: Message): number {
  const key = `${m.who} ${m.kind} ${m.on} ${m.value}`;
  const known = all.byKey.get(key);
  if (known !== undefined) return known;
  all.byKey.set(key, all.list.length);
  return all.list.push(m) - 1;
}

/** No message: what stands at timestamp 0, the state before the run. */
export const INITIAL = -1;

/** First entry of the table that word `at` lies in; 0 if it lies in none. */
export function tableAt(sys: System, at: number): number {
  if (sys.owner[at] === 0 || sys.owner[at] === undefined) return 0;
  return regionOf(sys, at)?.base ?? 0;
}

/** Timestamps of the messages that write the word at `at` (a free writes its whole table), ascending. */
export function writesTo(sys: System, all: Messages, mem: readonly number[], at: number): number[] {
  const table = tableAt(sys, at);
  const times: number[] = [];
  for (let t = 1; t < mem.length; t++) {
    const m = all.list[mem[t]!]!;
    if (m.kind === 'write' ? m.on === at : m.kind === 'free' && table !== 0 && m.on === table)
      times.push(t);
  }
  return times;
}

/** Timestamps of the messages of one lock, key or text before `until`, ascending. */
export function actsOn(
  all: Messages,
  mem: readonly number[],
  on: number,
  kinds: readonly Message['kind'][],
  until = mem.length,
): number[] {
  const times: number[] = [];
  for (let t = 1; t < until; t++) {
    const m = all.list[mem[t]!]!;
    if (m.on === on && kinds.includes(m.kind)) times.push(t);
  }
  return times;
}

/** Who holds a lock after the acts at `times`. */
export function holders(
  all: Messages,
  mem: readonly number[],
  times: readonly number[],
): { readers: number; writer: boolean } {
  let readers = 0;
  let writer = false;
  for (const t of times) {
    const { kind, value } = all.list[mem[t]!]!;
    if (value === 1) writer = kind === 'lock';
    else readers += kind === 'lock' ? 1 : -1;
  }
  return { readers, writer };
}

/** Count of a key after the acts at `times`. */
export const keyCount = (
  sys: System,
  all: Messages,
  mem: readonly number[],
  key: number,
  times: readonly number[],
): number => {
  const last = times[times.length - 1];
  return last === undefined ? sys.cells[key]! : all.list[mem[last]!]!.value;
};

/** Does the message at `t` turn its key on or off (and so interrupt every CPU)? */
export function flips(sys: System, all: Messages, mem: readonly number[], t: number): boolean {
  const m = all.list[mem[t]!]!;
  if (m.kind !== 'key') return false;
  const before = keyCount(sys, all, mem, m.on, actsOn(all, mem, m.on, ['key'], t));
  return before > 0 !== m.value > 0;
}

// What key, text and IPI steps do: a static key is an `enabled` count and patched text, of which each CPU has a view.
// Words: enabled, text, then per CPU a mask of the instructions it may still execute (bit 0: NOP, bit 1: branch).
// C: kernel/jump_label.c, arch/arm64/kernel/patching.c (6.12).
import type { Key, Text } from '../step.js';
import type { System } from '../system.js';

const TEXT = 1;
const VIEWS = 2;

/** `cpu` fetches anew: ISB, or an exception (IPI) taken on it. */
export function synchronise(sys: System, cpu: number): void {
  if (!sys.textCpus.includes(cpu)) return;
  for (const key of sys.keys) sys.cells[key + VIEWS + cpu] = 1 << sys.cells[key + TEXT]!;
}

/**
 * Store the instruction; other CPUs may execute the old or the new one.
 * @throws Error without the variant 'jump-label', where engines take every view for the text itself.
 */
export function patch(sys: System, cpu: number, step: Text): void {
  if (!sys.variant.has('jump-label')) throw new Error("a step patches text: that needs the variant 'jump-label'"); // biome-ignore format: one line
  const value = step.value ?? 0;
  sys.cells[step.on + TEXT] = value;
  for (const c of sys.textCpus) sys.cells[step.on + VIEWS + c]! |= 1 << value;
  synchronise(sys, cpu);
}

const view = (sys: System, cpu: number, step: Text): number =>
  sys.textCpus.includes(cpu) ? sys.cells[step.on + VIEWS + cpu]! : 1 << sys.cells[step.on + TEXT]!;

/** How many instructions `cpu` may find there: 1 or 2. */
export const instructions = (sys: System, cpu: number, step: Text): number =>
  view(sys, cpu, step) === 3 ? 2 : 1;

/** Execute it: 1 if it branches. `outcome` picks where both are possible (0: NOP). */
export const execute = (sys: System, cpu: number, step: Text, outcome: number): number => {
  const mask = view(sys, cpu, step);
  return mask === 3 ? outcome : mask >> 1;
};

/** A whole flip in one step, every CPU included: 1 if the text changed. */
export function flip(sys: System, step: Key): 0 | 1 {
  const { cells } = sys;
  const was = cells[step.on]!;
  if (step.mode === 'enable' && was > 0) return 0;
  if (step.mode === 'disable' && was !== 1) return 0;
  const now = step.mode === 'enable' || step.mode === 'inc' ? was + 1 : was - 1;
  cells[step.on] = now;
  const on = now > 0 ? 1 : 0;
  if (on === (was > 0 ? 1 : 0)) return 0;
  cells[step.on + TEXT] = on;
  for (const c of sys.textCpus) cells[step.on + VIEWS + c] = 1 << on;
  return 1;
}

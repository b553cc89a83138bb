// Tasks that do the same: of memories that differ only in which is which, one is enough.
import type { System } from '../../linux/system.js';
import type { Automaton } from '../automaton.js';
import type { Messages } from './kernel-messages.js';

/** Groups of tasks that do the same but for their number ('ptdump 0', 'ptdump 1'), by name and CPU. */
export function twins(sys: System): number[][] {
  const groups = new Map<string, number[]>();
  for (const { id, name, cpu, daemon } of sys.tasks) {
    if (daemon || sys.textCpus.includes(cpu)) continue;
    const stem = name.replace(/\d+$/, '');
    groups.set(stem, [...(groups.get(stem) ?? []), id]);
  }
  return [...groups.values()].filter((g) => g.length > 1);
}

/** Do two automata announce the same steps after the same results, as far as both were tried? */
export function alike(a: Automaton, b: Automaton): boolean {
  const text = (step: unknown): string =>
    JSON.stringify(step, (name, x) => (name === 'key' ? '' : x)) ?? 'end';
  const pairs: [number, number][] = [[0, 0]];
  const done = new Set<number>();
  for (let i = 0; i < pairs.length; i++) {
    const [x, y] = pairs[i]!;
    if (text(a.steps[x]) !== text(b.steps[y])) return false;
    if (done.has(x)) continue;
    done.add(x);
    for (const [result, to] of a.edges[x]!) {
      const other = b.edges[y]!.get(result);
      if (other !== undefined) pairs.push([to, other]);
    }
  }
  return true;
}

/** Of memories that differ only in which twin is which, keep the one where they begin in the order of their numbers. */
export const canonical = (
  groups: readonly number[][],
  all: Messages,
  memory: readonly number[],
): boolean =>
  groups.every((group) => {
    let begun = 0;
    for (let t = 1; t < memory.length; t++) {
      const at = group.indexOf(all.list[memory[t]!]!.who);
      if (at > begun) return false;
      if (at === begun) begun++;
    }
    return true;
  });

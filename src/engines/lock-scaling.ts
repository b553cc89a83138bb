// The price of the lock word itself: vmalloc on 1 to 128 CPUs, each call reading one shared thing. A closed queue: every CPU
// works, then needs the line of the word; a line serves one writer at a time and must travel.
import type { Profile } from './cost.js';
import { draw, stream, tablesOf } from './draw.js';

/** What every overwrite does to shared memory, beside its own work. */
export const lockWords = {
  'shared rwsem': 'down_read and up_read: two atomics on one line',
  'percpu rwsem': 'two increments of a counter of its own',
  'static key off': 'a NOP',
  trylock: 'a successful read trylock and up_read: two atomics on one line',
} as const;
export type LockWord = keyof typeof lockWords;

const touches: Readonly<Record<LockWord, { shared: number; own: number }>> = {
  'shared rwsem': { shared: 2, own: 0 },
  'percpu rwsem': { shared: 0, own: 2 },
  'static key off': { shared: 0, own: 0 },
  trylock: { shared: 2, own: 0 },
};

/** One point: calls a second of all CPUs together, and against the same without any lock word. */
export interface Scaling {
  readonly word: LockWord;
  readonly cpus: number;
  readonly calls_per_s: number;
  readonly share_of_unlocked: number;
}

function run(p: Profile, word: LockWord, cpus: number, work_ns: number, calls: number): number {
  const { costs } = tablesOf(p);
  const random = stream(`${word} ${cpus}`);
  const { shared, own } = touches[word];
  const at = new Float64Array(cpus).fill(work_ns);
  let free = 0;
  let owner = -1;
  for (let done = 0; done < calls; done++) {
    let cpu = 0;
    for (let i = 1; i < cpus; i++) if (at[i]! < at[cpu]!) cpu = i;
    let now = at[cpu]! + own * draw(random, costs.rmw) * 0.3; // this_cpu_inc is no atomic
    for (let k = 0; k < shared; k++) {
      now = Math.max(now, free);
      if (owner >= 0 && owner !== cpu) {
        const near = Math.floor(owner / p.socket) === Math.floor(cpu / p.socket);
        now += draw(random, costs[near ? 'line transfer' : 'line remote']);
      }
      now += draw(random, costs['rwsem lock']);
      owner = cpu;
      free = now;
    }
    at[cpu] = now + work_ns;
  }
  return (calls / at.reduce((a, b) => Math.max(a, b), 0)) * 1e9;
}

/**
 * Throughput of calls that take `work_ns` beside the lock word (vmalloc + vfree of 4 pages: 950 to 1150 ns on one CPU,
 * reference 5.6; an overwrite itself is 0.3 to 2 us). Left out: every other lock of vmalloc, so an upper bound.
 */
export function lockScaling(
  p: Profile,
  work_ns = 1000,
  cpus: readonly number[] = [1, 2, 4, 8, 16, 32, 64, 128],
): Scaling[] {
  return (Object.keys(lockWords) as LockWord[]).flatMap((word) =>
    cpus.map((n) => {
      const calls_per_s = run(p, word, n, work_ns, 20000);
      const alone = run(p, 'static key off', n, work_ns, 20000);
      return { word, cpus: n, calls_per_s: Math.round(calls_per_s), share_of_unlocked: calls_per_s / alone };
    }),
  ); // biome-ignore format: one record
}

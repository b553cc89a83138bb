import fc from 'fast-check';
import { expect, test } from 'vitest';
import { addressOf } from '../../src/linux/arm64/geometry.js';
import { callFast } from '../../src/linux/lib/workload.js';
import { bootMachine } from '../../src/linux/mm/machine.js';
import { checkTiling, checkTree } from './invariants.js';
import { actions, machine, program } from './machines.js';

test('free, busy, pooled and lazy areas tile the space; nothing is lost in 64 bits', () => {
  const machines = fc.record({
    cpus: fc.constantFrom(1, 2, 4),
    fragmentation: fc.constantFrom(0, 0.5),
  });
  fc.assert(
    fc.property(machines, actions(150), fc.array(fc.nat(3)), (over, list, cpus) => {
      const v = bootMachine(machine(over));
      const work = program(list);
      const early: [number, number][] = [[v.space.vstart, v.space.vstart + 2785]];
      let n = 0;
      for (let next = work.next(0); !next.done; n++) {
        const cpu = (cpus[n % (cpus.length || 1)] ?? 0) % over.cpus;
        const got = callFast(v, next.value, cpu);
        if (got > 0) expect(Number(addressOf(v.geometry, got) >> 12n)).toBe(got);
        checkTiling(v.space, early);
        next = work.next(got);
      }
      checkTree(v.space.free);
    }),
    { numRuns: 40 },
  );
});

/** The rules of pools and lazy freeing over plain arrays, for unaligned requests: lowest fit in a sorted list. */
class Obvious {
  free: [number, number][];
  pools = new Map<string, [number, number][]>();
  lazy: { at: number; size: number; node: number }[] = [];
  constructor(
    readonly nodes: number,
    start: number,
    readonly lazyMax: number,
  ) {
    this.free = [[start, 2 ** 40 + start]];
  }
  alloc(size: number, cpu: number): { at: number; node: number } {
    const node = cpu % this.nodes;
    const pool = this.nodes > 1 && size <= 256 ? this.pools.get(`${node} ${size}`) : undefined;
    if (pool && pool.length > 0) return { at: pool.shift()![0], node };
    const hole = this.free.find(([s, e]) => e - s >= size)!;
    const at = hole[0];
    hole[0] += size;
    this.free = this.free.filter(([s, e]) => e > s);
    return { at, node };
  }
  give(at: number, size: number): void {
    this.free.push([at, at + size]);
    this.free.sort((a, b) => a[0] - b[0]);
    this.free = this.free.reduce<[number, number][]>((out, r) => {
      const last = out.at(-1);
      if (last && last[1] === r[0]) last[1] = r[1];
      else out.push([...r]);
      return out;
    }, []);
  }
  release(at: number, size: number, node: number): void {
    this.lazy.push({ at, size, node });
    if (this.lazy.reduce((sum, l) => sum + l.size, 0) > this.lazyMax) this.purge();
  }
  purge(): void {
    for (const [key, pool] of this.pools) {
      const quarter = Math.floor(pool.length / 4);
      const gone = pool.splice(0, quarter === 0 ? pool.length : quarter);
      for (const [at, size] of gone) this.give(at, size);
      if (pool.length === 0) this.pools.delete(key);
    }
    this.lazy.sort((a, b) => a.at - b.at);
    for (const { at, size, node } of this.lazy) {
      if (this.nodes > 1 && size <= 256) {
        const key = `${node} ${size}`;
        this.pools.set(key, [[at, size], ...(this.pools.get(key) ?? [])]);
      } else this.give(at, size);
    }
    this.lazy = [];
  }
}

test('unaligned requests: every address as from an obvious allocator', () => {
  const steps = fc.array(
    fc.record({ pages: fc.oneof(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 400 })), cpu: fc.nat(3), free: fc.nat(), what: fc.nat(9) }),
    { minLength: 20, maxLength: 400 },
  ); // biome-ignore format: one row
  fc.assert(
    fc.property(steps, fc.constantFrom(1, 2, 4), (list, cpus) => {
      const v = bootMachine(machine({ cpus }));
      const o = new Obvious(cpus, v.space.vstart + 2785, v.space.lazy_max);
      const held: { at: number; size: number; node: number }[] = [];
      for (const { pages, cpu, free, what } of list) {
        if (what === 9) {
          callFast(v, { op: 'vm_unmap_aliases' }, 0);
          o.purge();
        } else if (what >= 5 && held.length > 0) {
          const { at, size, node } = held.splice(free % held.length, 1)[0]!;
          callFast(v, { op: 'vfree', page: at }, 0);
          o.release(at, size, node);
        } else {
          const at = callFast(v, { op: 'vmalloc', size_bytes: pages * 4096 }, cpu % cpus);
          const want = o.alloc(pages + 1, cpu % cpus);
          expect(at).toBe(want.at);
          held.push({ ...want, size: pages + 1 });
        }
      }
    }),
    { numRuns: 60 },
  );
});

test('a short pool of 6.12 is drained whole, one of 7.x not at all', () => {
  for (const [drainShortPools, left] of [
    [true, 0],
    [false, 3],
  ] as const) {
    const v = bootMachine(
      machine({ cpus: 2, era: { ...bootMachine(machine()).era, drainShortPools } }),
    );
    const three = [1, 2, 3].map(() => callFast(v, { op: 'vmalloc', size_bytes: 4096 }, 0));
    for (const page of three) callFast(v, { op: 'vfree', page }, 0);
    callFast(v, { op: 'vm_unmap_aliases' }, 0);
    expect(v.space.nodes[0]!.pooled).toBe(3);
    callFast(v, { op: 'vm_unmap_aliases' }, 0);
    expect(v.space.nodes[0]!.pooled).toBe(left);
  }
});

test('a misaligned head of a pool goes to the end, and the free tree serves', () => {
  const v = bootMachine(machine({ cpus: 2, image_pages: 2785 }));
  const aligned = {
    op: '__vmalloc_node',
    size_bytes: 4 * 4096,
    align_bytes: 32768,
    node: 0,
  } as const;
  const a = callFast(v, { op: 'vmalloc', size_bytes: 4 * 4096 }, 0);
  const b = callFast(v, aligned, 0);
  for (const page of [a, b]) callFast(v, { op: 'vfree', page }, 0);
  callFast(v, { op: 'vm_unmap_aliases' }, 0);
  const c = callFast(v, { op: 'vmalloc', size_bytes: 4 * 4096 }, 0);
  expect(c).toBe(b); // last in, first out
  const d = callFast(v, aligned, 0);
  expect(d).not.toBe(a);
  expect(d % 8).toBe(0);
});

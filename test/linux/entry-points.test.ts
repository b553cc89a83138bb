// kvmalloc(), kernel stacks, callers that cannot block: each rule in the plain functions and in modelled kernel code.
import { expect, test } from 'vitest';
import { runAlone } from '../../src/engines/run.js';
import { type Granule, geometry } from '../../src/linux/arm64/geometry.js';
import { eras } from '../../src/linux/eras.js';
import type { Call, Workload } from '../../src/linux/lib/workload.js';
import type { Gfp } from '../../src/linux/mm/gfp.js';
import { bootMachine, type Machine } from '../../src/linux/mm/machine.js';
import { allocFrames, pageAllocator } from '../../src/linux/mm/page-alloc.js';
import * as slow from '../../src/linux/mm/vmalloc.js';
import * as fast from '../../src/linux/mm/vmalloc-fast.js';
import { vmallocOn } from '../../src/linux/mm/vmalloc-state.js';
import { newSystem, task } from '../../src/linux/system.js';
import { schemes } from '../../src/schemes/index.js';
import { fastMachine, machine, runKernel } from './machines.js';

const MiB = 2 ** 20;

/** The calls in order, as a workload. */
function* inOrder(calls: readonly Call[]): Workload<number[]> {
  const got: number[] = [];
  for (const c of calls) got.push(yield c);
  return got;
}

/** What the calls give, from both ways, which must agree. */
function both(m: Machine, calls: readonly Call[]) {
  const { v, call } = fastMachine(m);
  const got = calls.map((c) => call(c));
  const { result, vm, events, steps } = runKernel(m, inOrder(calls));
  expect(result).toEqual(got);
  return { v, vm, got, events, steps };
}

const kv = (size_bytes: number, gfp?: Gfp): Call => ({ op: 'kvmalloc', size_bytes, ...(gfp ? { gfp } : {}) }); // biome-ignore format: one line

test('kvmalloc: contiguous frames if there are any, up to the largest kmalloc()', () => {
  const { v, got } = both(machine(), [kv(100), kv(8192), kv(4 * MiB), kv(4 * MiB + 1)]);
  const inVmalloc = got.map((page) => page >= v.space.vstart);
  expect(inVmalloc).toEqual([false, false, false, true]);
  expect(v.allocations).toBe(2); // the last and its page array
  expect(v.tables.counts.huge_set_pmd).toBe(3); // rounded up to 6 MiB
});

test('kvmalloc: what fragmentation refuses comes from vmalloc, a page or less never does', () => {
  const scarce = machine({ fragmentation: 1 });
  const { v, got } = both(scarce, [kv(4096), kv(4097), kv(2 * MiB)]);
  expect(got.map((page) => page >= v.space.vstart)).toEqual([false, true, true]);
  expect(v.tables.counts.huge_set_pmd).toBe(0); // no order-9 frames: the second attempt, at base pages
  const none = machine({ memory_bytes: MiB, cache_bytes: 0 });
  expect(both(none, [kv(MiB), kv(4096)]).got[1]).toBe(-1);
});

test('kvmalloc: kmalloc_max_bytes moves the border', () => {
  const { v, got } = both(machine({ kmalloc_max_bytes: 16384 }), [kv(16384), kv(16385)]);
  expect(got.map((page) => page >= v.space.vstart)).toEqual([false, true]);
});

test.each([
  ['6.12', 'GFP_KERNEL', 1],
  ['6.12', 'GFP_ATOMIC', null],
  ['6.18', 'GFP_NOWAIT', null],
  ['6.19', 'GFP_KERNEL', 1],
  ['6.19', 'GFP_ATOMIC', 0],
  ['7.2', 'GFP_NOWAIT', 0],
  ['7.2', 'GFP_NOFS', 1],
] as const)('kvmalloc of 2 MiB beyond kmalloc, %s, %s: blocks %s', (era, gfp, blocks) => {
  const m = machine({ era: eras[era], kmalloc_max_bytes: 4096 });
  const { v, got } = both(m, [kv(2 * MiB, gfp)]);
  expect(got[0]! >= 0).toBe(blocks !== null);
  expect(v.tables.counts.huge_set_pmd).toBe(blocks ?? 0);
});

test('kvfree gives back to whom it came from', () => {
  const { v, call } = fastMachine(machine());
  const [k, big] = [call(kv(MiB)), call(kv(5 * MiB))];
  const before = v.frames.free_pages;
  call({ op: 'kvfree', page: k });
  expect(v.frames.free_pages - before).toBe(256);
  call({ op: 'kvfree', page: big });
  expect(v.frames.free_pages).toBe(v.frames.total_pages);
  expect(() => call({ op: 'kvfree', page: k })).toThrow(/no object begins there/);
  expect(() => call({ op: 'kvfree', page: big })).toThrow(/nonexistent vm area/);
});

test.each([
  ['4K', 48, 16384, 32768],
  ['16K', 47, 16384, 32768],
  ['64K', 42, 65536, 131072],
] as const)('a stack on %s/%i: %i bytes, aligned to %i', (granule: Granule, bits, size, align) => {
  const m = machine({ geometry: geometry(granule, bits) });
  const { events, got, v } = both(m, [{ op: 'alloc_thread_stack' }, { op: 'alloc_thread_stack' }]);
  const page = m.geometry.pageSize_bytes;
  const asked = events.filter((e) => e.what === 'vmalloc_range');
  expect(asked.map((e) => e.fields)).toEqual(
    [1, 2].map(() => ({ size_bytes: size, align_bytes: align, vm_flags: 0 })),
  );
  for (const at of got) expect((at * page) % align).toBe(0);
  expect(v.space.areas.end[v.space.busy.get(got[0]!)!]! - got[0]!).toBe(size / page + 1);
});

test('each CPU keeps two stacks; the third is vfreed, a fork takes a kept one first', () => {
  const { v, call } = fastMachine(machine({ cpus: 2 }));
  const alloc: Call = { op: 'alloc_thread_stack' };
  const free = (page: number): Call => ({ op: 'free_thread_stack', page });
  const [a, b, c, d] = [call(alloc), call(alloc), call(alloc), call(alloc)];
  for (const page of [a, b, c]) call(free(page), 1);
  expect(v.space.lazy_nr).toBe(5);
  expect(v.space.busy.get(c)).toBeUndefined();
  call(free(d), 0);
  expect(v.space.lazy_nr).toBe(5);
  expect([call(alloc, 1), call(alloc, 1)]).toEqual([a, b]);
  const before = v.allocations;
  call(alloc, 1);
  expect(v.allocations).toBe(before + 1);
  expect(call(alloc, 0)).toBe(d);
});

/** A range of 11 pages, full and lazily freed, then a request of 10 pages there: what the two ways give. */
function inFullRange(m: Machine, gfp: Gfp) {
  const v = bootMachine(m);
  const vstart = v.space.vstart + 4096;
  const range = { vstart, vend: vstart + 11 };
  const first = fast.__vmalloc_node_range(v, 40960, 1, 0, 0, range);
  fast.vfree(v, first);
  const got = fast.__vmalloc_node_range(v, 40960, 1, 0, 0, { ...range, gfp });

  const sys = newSystem(schemes.none, [], { grows: true });
  const vm = vmallocOn(sys, m);
  const seen: string[] = [];
  const answer = runAlone(
    sys,
    task(sys, 't', 0, function* () {}),
    (function* () {
      const page = yield* slow.__vmalloc_node_range(vm, 40960, 1, 0, 0, range);
      yield* slow.vfree(vm, page);
      seen.length = 0;
      return yield* slow.__vmalloc_node_range(vm, 40960, 1, 0, 0, { ...range, gfp });
    })(),
    (_, s) => seen.push(s.op === 'trace' ? s.what : `${s.op} ${s.by ?? ''}`),
  );
  expect(answer).toBe(got);
  return { first, got, purges: v.purges, seen };
}

test('-EBUSY in place of the purge for a caller that cannot block, from 6.19 on', () => {
  const blocking = inFullRange(machine({ era: eras['6.19'] }), 'GFP_KERNEL');
  expect(blocking.got).toBe(blocking.first);
  expect(blocking.purges).toBe(1);
  expect(blocking.seen).toContain('lock mutex_lock');
  expect(blocking.seen).toContain('might-sleep alloc_vmap_area');

  const atomic = inFullRange(machine({ era: eras['6.19'] }), 'GFP_ATOMIC');
  expect([atomic.got, atomic.purges]).toEqual([-1, 0]);
  expect(atomic.seen.filter((s) => s === 'alloc_vmap_area')).toHaveLength(1);
  for (const s of ['lock mutex_lock', 'might-sleep alloc_vmap_area', 'purge_vmap_area_lazy'])
    expect(atomic.seen).not.toContain(s);

  expect(inFullRange(machine({ era: eras['6.18'] }), 'GFP_ATOMIC').purges).toBe(1);
});

test('a caller that cannot block gets no reclaim; what it leaves is cleaned up by the next that can', () => {
  const m = machine({ era: eras['7.0'], memory_bytes: 16 * MiB, cache_bytes: 15 * MiB });
  const of = (gfp: Gfp): Call => ({ op: 'vmalloc', size_bytes: 2 * MiB, gfp });
  const atomic = both(m, [of('GFP_ATOMIC')]);
  expect(atomic.got).toEqual([-1]);
  expect(atomic.v.frames.reclaimed_pages).toBe(0);
  expect(atomic.v.space.lazy_nr).toBe(0);
  expect([atomic.v.cleanup.length, atomic.vm.cleanup.length]).toEqual([1, 1]);

  const both2 = both(m, [of('GFP_ATOMIC'), of('GFP_KERNEL')]);
  expect(both2.got[1]).toBeGreaterThan(0);
  expect(both2.v.frames.reclaimed_pages).toBe(256);
  expect(both2.v.space.lazy_nr).toBe(513);
  expect([both2.v.cleanup, both2.vm.cleanup]).toEqual([[], []]);
});

test('large orders first: takes, splits, and what is left for the order asked for', () => {
  const take = (pages: number, order: number, over = {}) => {
    const p = pageAllocator(2 ** 20, { largeFirst: true, ...over });
    const pfn = allocFrames(p, pages, order, false);
    return [pfn >= 0, p.takes, p.split_pages];
  };
  expect(take(1, 0)).toEqual([true, 1, 0]);
  expect(take(7, 0)).toEqual([true, 3, 6]); // 4, 2, and one page of the bulk allocator
  expect(take(3000, 0)).toEqual([true, 2 + 6, 3000]); // 2 x 1024, then 512 + 256 + 128 + 32 + 16 + 8
  expect(take(512, 9)).toEqual([true, 1, 0]); // the order asked for: nothing above it fits
  expect(take(1536, 9)).toEqual([true, 2, 1024]); // order 10, then one block
  expect(take(1536, 9, { maxOrder: 9 })).toEqual([true, 3, 0]);
  expect(take(100, 0, { fragmentation: 1 })).toEqual([true, 100, 0]);
  expect(take(512, 9, { fragmentation: 1 })[0]).toBe(false);
  expect(take(100, 0, { largeFirst: false })).toEqual([true, 100, 0]);
});

test('large orders first is 7.0 and later, and changes no mapping', () => {
  const calls: Call[] = [{ op: 'vmalloc', size_bytes: 4 * MiB }];
  const old = both(machine({ era: eras['6.19'] }), calls);
  const now = both(machine({ era: eras['7.0'] }), calls);
  expect(now.got).toEqual(old.got);
  expect(now.v.tables.counts).toEqual(old.v.tables.counts);
  expect(now.v.tables.counts.huge_set_pmd).toBe(0);
  expect([old.v.frames.split_pages, now.v.frames.split_pages]).toEqual([0, 1024 + 2]);
  const splits = now.steps.filter((s) => s.op === 'work' && s.what === 'split_page');
  expect(splits).toHaveLength(2); // the page array of two pages, then the area
});

test('a page cache larger than memory is refused', () => {
  expect(() => pageAllocator(10, { cache_pages: 11 })).toThrow(
    /page cache of 11 pages; there are 10/,
  );
});

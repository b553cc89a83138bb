// The tests of lib/test_vmalloc.c as workloads. C: lib/test_vmalloc.c (6.12, 7.x). Left out: touching the memory, which
// changes nothing vmalloc knows of; the per-CPU allocator behind pcpu_alloc_test; RCU's delay before kvfree_rcu frees.
import type { Geometry } from '../arm64/geometry.js';
import { below, next32, type Random } from '../random.js';
import type { Workload } from './workload.js';

/** Module parameters, by their names. */
export interface TestParameters {
  readonly nr_threads: number;
  readonly sequential_test_order: boolean;
  readonly test_repeat_count: number;
  readonly test_loop_count: number;
  readonly nr_pages: number;
  readonly use_huge: boolean;
  readonly run_test_mask: number;
  readonly nr_pcpu_objects: number;
}

/** Which lib/test_vmalloc.c. */
export type TestVersion = '6.12' | '7.x';

/** What modprobe test_vmalloc takes without parameters. */
export const defaultParameters = (version: TestVersion): TestParameters => ({
  nr_threads: 0,
  sequential_test_order: false,
  test_repeat_count: 1,
  test_loop_count: 1000000,
  nr_pages: 0,
  use_huge: false,
  run_test_mask: version === '6.12' ? 0x7fffffff : 7,
  nr_pcpu_objects: 35000,
});

/** What a test knows. */
export interface TestContext {
  readonly p: TestParameters;
  readonly geometry: Geometry;
  readonly onlineCpus: number;
  /** Pages of a lazy batch on this machine. C: lazy_max_pages() / fls() */
  readonly random: Random;
}

/** A test: 0 when it passed. */
type Test = (t: TestContext) => Workload<number>;

const FAILED = -1;
/** test_loop_count as the module takes it. */
export const loops = (t: TestContext): number =>
  t.p.test_loop_count > 0 ? t.p.test_loop_count : 1;
const nrPages = (t: TestContext): number => (t.p.nr_pages > 0 ? t.p.nr_pages : 1);
const PS = (t: TestContext): number => t.geometry.pageSize_bytes;

function* alloc(size_bytes: number): Workload<number> {
  return yield { op: 'vmalloc', size_bytes };
}
function* free(page: number): Workload {
  yield { op: 'vfree', page };
}
function* allocAligned(size_bytes: number, align_bytes: number): Workload<number> {
  return yield { op: '__vmalloc_node', size_bytes, align_bytes, node: 0 };
}

/** L times: allocate with `make`, free. */
function* allocFree(t: TestContext, make: () => Workload<number>): Workload<number> {
  for (let i = 0; i < loops(t); i++) {
    const page = yield* make();
    if (page < 0) return FAILED;
    yield* free(page);
  }
  return 0;
}

function* fix_size_alloc_test(t: TestContext): Workload<number> {
  const size_bytes = nrPages(t) * PS(t);
  const op = t.p.use_huge ? 'vmalloc_huge' : 'vmalloc';
  return yield* allocFree(t, function* () {
    return yield { op, size_bytes };
  });
}

function* full_fit_alloc_test(t: TestContext): Workload<number> {
  const junk_length = (Math.floor(Math.log2(t.onlineCpus)) + 1) * ((32 << 20) / PS(t));
  const ptr = yield* alloc(8 * junk_length);
  const junk_ptr = yield* alloc(8 * junk_length);
  const kept: number[] = [];
  const junk: number[] = [];
  for (let i = 0; i < junk_length; i++) {
    kept.push(yield* alloc(PS(t)));
    junk.push(yield* alloc(PS(t)));
  }
  for (const page of junk) yield* free(page);
  const result = yield* allocFree(t, () => alloc(PS(t)));
  for (const page of kept) yield* free(page);
  yield* free(ptr);
  yield* free(junk_ptr);
  return result;
}

function* long_busy_list_alloc_test(t: TestContext): Workload<number> {
  const ptr = yield* alloc(8 * 15000);
  const kept: number[] = [];
  for (let i = 0; i < 15000; i++) kept.push(yield* alloc(PS(t)));
  let result = 0;
  for (let i = 0; i < loops(t) && result === 0; i++) {
    const a = yield* alloc(100 * PS(t));
    const b = yield* alloc(PS(t));
    if (a < 0 || b < 0) result = FAILED;
    if (a >= 0) yield* free(a);
    if (b >= 0) yield* free(b);
  }
  for (const page of kept) yield* free(page);
  yield* free(ptr);
  return result;
}

const random_size_alloc_test: Test = (t) =>
  allocFree(t, () => alloc((1 + below(t.random, 100)) * PS(t)));

/** THREAD_ALIGN of a kernel with VMAP_STACK: twice the stack, which is 16 KiB, or a page where that is more. */
const threadAlign = (t: TestContext): number => 2 * Math.max(16384, PS(t));

const fix_align_alloc_test: Test = (t) =>
  allocFree(t, () => allocAligned(5 * PS(t), threadAlign(t) * 2));

const random_size_align_alloc_test: Test = (t) =>
  allocFree(t, () => {
    const rnd = next32(t.random) & 255;
    return allocAligned(((rnd % 10) + 1) * PS(t), 2 ** (rnd % 23));
  });

function* align_shift_alloc_test(t: TestContext): Workload<number> {
  for (let i = 0; i < 64; i++) {
    const page = yield* allocAligned(PS(t), 2 ** i);
    if (page < 0) return FAILED;
    yield* free(page);
  }
  return 0;
}

/** Only its array of pointers is vmalloced here. */
function* pcpu_alloc_test(t: TestContext): Workload<number> {
  const pcpu = yield* alloc(8 * t.p.nr_pcpu_objects);
  if (pcpu < 0) return FAILED;
  yield* free(pcpu);
  return 0;
}

const kvfree_rcu_vmalloc_test: Test = (t) => allocFree(t, () => alloc(PS(t)));

function* vm_map_ram_test(t: TestContext): Workload<number> {
  const pages = nrPages(t);
  for (let i = 0; i < loops(t); i++) {
    const page: number = yield { op: 'vm_map_ram', pfn: 1 << 20, pages };
    if (page < 0) return FAILED;
    yield { op: 'vm_unmap_ram', page, pages };
  }
  return 0;
}

const no_block_alloc_test: Test = (t) =>
  allocFree(t, () => {
    next32(t.random); // GFP_ATOMIC or GFP_NOWAIT
    return alloc(nrPages(t) * PS(t));
  });

/** Shrinking and growing in place touch no address space; growing beyond it takes a new area. */
function* vrealloc_test(t: TestContext): Workload<number> {
  for (let i = 0; i < loops(t); i++) {
    const one = yield* alloc(PS(t));
    if (one < 0) return FAILED;
    const four = yield* alloc(4 * PS(t));
    yield* free(one);
    if (four < 0) return FAILED;
    yield* free(four);
  }
  return 0;
}

/** A row of the module's table. */
export interface TestCase {
  readonly name: string;
  /** Supposed to fail (7.x counts that apart). */
  readonly xfail: boolean;
  readonly run: Test;
}

const row = (name: string, run: Test, xfail = false): TestCase => ({ name, run, xfail });

const common: readonly TestCase[] = [
  row('fix_size_alloc_test', fix_size_alloc_test),
  row('full_fit_alloc_test', full_fit_alloc_test),
  row('long_busy_list_alloc_test', long_busy_list_alloc_test),
  row('random_size_alloc_test', random_size_alloc_test),
  row('fix_align_alloc_test', fix_align_alloc_test),
  row('random_size_align_alloc_test', random_size_align_alloc_test),
  row('align_shift_alloc_test', align_shift_alloc_test, true),
  row('pcpu_alloc_test', pcpu_alloc_test),
  row('kvfree_rcu_1_arg_vmalloc_test', kvfree_rcu_vmalloc_test),
  row('kvfree_rcu_2_arg_vmalloc_test', kvfree_rcu_vmalloc_test),
  row('vm_map_ram_test', vm_map_ram_test),
];

/** The tests in the module's order: test i runs if bit i of run_test_mask is set. */
export const tests = (version: TestVersion): readonly TestCase[] =>
  version === '6.12'
    ? common
    : [
        ...common,
        row('no_block_alloc_test', no_block_alloc_test, true),
        row('vrealloc_test', vrealloc_test),
      ];

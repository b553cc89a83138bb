// A slow, obvious kernel: vmalloc on several CPUs, one small step at a time in a random order, with the trace it
// would leave. It judges the replay, so it shares only the tree of free areas with the model (which real
// addresses hold against); pools, lazy lists, purges and tables are its own, step by step as 6.12 has them.
import { newArea, vmapAreas } from '../../src/linux/mm/areas.js';
import {
  alloc_free_area,
  freeAreas,
  merge_or_add_vmap_area,
} from '../../src/linux/mm/free-areas.js';
import { below, next32, type Random, random, uniform } from '../../src/linux/random.js';

const VSTART = 0xffff800080000000n;
const VEND = 0xfffffdffbf800000n;
const START = Number(VSTART >> 12n);
const END = Number(VEND >> 12n);
const IMAGE = 2786;

/** An area: [at, at + size), its node (-1: none), pages mapped, how. */
interface Area {
  at: number;
  size: number;
  node: number;
  pages: number;
  huge: boolean;
}

interface Node {
  pools: Area[][];
  lazy: Area[];
  purging: Area[];
}

/** A thread: `step` runs to its next point where another may come in between. */
export interface Task {
  name: string;
  pid: number;
  cpu: number;
  bound: boolean;
  body: Generator<void, void>;
  sleeping: boolean;
}

export interface Racing {
  readonly r: Random;
  readonly cpus: number;
  readonly free: ReturnType<typeof freeAreas>;
  readonly nodes: Node[];
  readonly tasks: Task[];
  readonly busy: Map<number, Area>;
  readonly slots: Map<number, 'table' | 'block'>;
  readonly lines: string[];
  readonly max: number;
  lazyPages: number;
  purgeOwner: Task | undefined;
  drainDue: boolean;
  now: number;
  /** Probability of another task at a step; of another CPU. */
  readonly preempt: number;
  readonly shift: number;
  /** Areas of what truth is: misses are counted against it. */
  allocations: number;
  purges: number;
}

const hex = (page: number): string => `0x${(BigInt(page) << 12n).toString(16)}`;

export function emit(k: Racing, t: Task, text: string): void {
  k.now += 1 + (next32(k.r) % 3);
  const s = `${Math.floor(k.now / 1e6)}.${String(k.now % 1e6).padStart(6, '0')}`;
  k.lines.push(`${`${t.name}-${t.pid}`.padStart(16)} [00${t.cpu}] .....     ${s}: ${text}`);
}

export interface RacingOptions {
  readonly cpus: number;
  readonly seed: number;
  readonly preempt?: number;
  readonly shift?: number;
}

export function racing(o: RacingOptions): Racing {
  const areas = vmapAreas();
  const free = freeAreas(areas);
  merge_or_add_vmap_area(free, newArea(areas, 0.5, START));
  merge_or_add_vmap_area(free, newArea(areas, START + IMAGE, 2 ** 52 - 0.5));
  return {
    r: random(`racing ${o.seed}`),
    cpus: o.cpus,
    free,
    nodes: Array.from({ length: o.cpus }, () => ({
      pools: Array.from({ length: 256 }, () => []),
      lazy: [],
      purging: [],
    })),
    tasks: [],
    busy: new Map(),
    slots: new Map(
      Array.from({ length: Math.ceil(IMAGE / 512) }, (_, i) => [START / 512 + i, 'table' as const]),
    ),
    lines: ['# tracer: nop', '#', `# entries-in-buffer/entries-written: 1/1   #P:${o.cpus}`, '#'],
    max: (Math.floor(Math.log2(o.cpus)) + 1) * 8192,
    lazyPages: 0,
    purgeOwner: undefined,
    drainDue: false,
    now: 0,
    preempt: o.preempt ?? 0.02,
    shift: o.shift ?? 0.1,
    allocations: 0,
    purges: 0,
  };
}

/** Places in the free tree carry doubles; give an area there. */
function giveBack(k: Racing, a: Area): void {
  merge_or_add_vmap_area(k.free, newArea(k.free.areas, a.at, a.at + a.size));
}

/** The first event of a trace that begins at boot: made by the idle task. */
export function boot(k: Racing): void {
  const idle: Task = {
    name: '<idle>',
    pid: 0,
    cpu: 0,
    bound: true,
    body: (function* () {})(),
    sleeping: false,
  };
  const a = {
    at: alloc_free_area(k.free, 2, 1, START, END),
    size: 2,
    node: k.cpus > 1 ? 0 : -1,
    pages: 1,
    huge: false,
  };
  k.busy.set(a.at, a);
  k.slots.set(Math.floor(a.at / 512), 'table');
  allocEvent(k, idle, a.at, 2, 1);
  emit(k, idle, 'drain: (drain_vmap_area_work+0x0/0x80)');
}

function allocEvent(k: Racing, t: Task, at: number, size: number, align: number): void {
  k.allocations++;
  const place = at < 0 ? END : at;
  emit(
    k,
    t,
    `alloc_vmap_area: va_start: ${BigInt(place) << 12n} size=${size * 4096} align=${align === 1 ? 1 : align * 4096} ` +
      `vstart=0x${VSTART.toString(16)} vend=0x${VEND.toString(16)} failed=${at < 0 ? 1 : 0}`,
  );
}

const me = (k: Racing): Task => current.get(k)!;
const current = new WeakMap<Racing, Task>();

function* allocVa(k: Racing, size: number, align: number): Generator<void, Area | undefined> {
  const t = me(k);
  for (let again = 0; ; again++) {
    let a: Area | undefined;
    let node = -1;
    if (k.cpus > 1) {
      node = t.cpu;
      const pool = size <= 256 ? k.nodes[node]!.pools[size - 1]! : [];
      if (pool.length > 0) {
        if (pool[0]!.at % align === 0) a = pool.shift();
        else pool.push(pool.shift()!);
      }
      yield;
    }
    if (!a) {
      const at = alloc_free_area(k.free, size, align, START, END);
      if (at >= 0) a = { at, size, node: -1, pages: 0, huge: false };
      yield;
    }
    allocEvent(k, t, a ? a.at : -1, size, align);
    yield;
    if (a) {
      a.node = node;
      k.busy.set(a.at, a);
      return a;
    }
    if (again > 0) return undefined;
    yield* purge(k, true);
  }
}

const pmdp = (slot: number): string =>
  `0x${(0xffff000000c70000n + BigInt(Math.floor(slot / 512) - Math.floor(START / 2 ** 18)) * 4096n + BigInt(slot % 512) * 8n).toString(16)}`;

function* map(k: Racing, a: Area, pages: number, huge: boolean, at = a.at): Generator<void, void> {
  const t = me(k);
  a.pages = pages;
  a.huge = huge;
  for (let s = Math.floor(at / 512); s * 512 < at + pages; s++) {
    const is = k.slots.get(s);
    if (huge) {
      if (is === 'table')
        emit(
          k,
          t,
          `pmd_free_pte_page: (pmd_free_pte_page+0x0/0x80) pmdp=${pmdp(s)} addr=${hex(s * 512)} pmd=0x1000000040cc6003`,
        );
      yield;
      emit(k, t, `pmd_set_huge: (pmd_set_huge+0x0/0x80) pmdp=${pmdp(s)} phys=0x55c00000 old=0x0`);
      k.slots.set(s, 'block');
    } else if (is === undefined) {
      emit(k, t, `pte_alloc_kernel: (__pte_alloc_kernel+0x0/0x130) pmdp=${pmdp(s)}`);
      yield;
      k.slots.set(s, 'table');
    }
    yield;
  }
}

/** vmalloc or vmalloc_huge; undefined where there is no room. */
export function* vmalloc(
  k: Racing,
  pages: number,
  align = 1,
  huge = false,
  lacks = 0,
): Generator<void, Area | undefined> {
  const t = me(k);
  emit(
    k,
    t,
    `vmalloc_range: (__vmalloc_node_range_noprof+0x0/0x628) size=${pages * 4096} align=${align === 1 ? 1 : align * 4096} vmflags=${huge ? '0x400' : '0x0'}`,
  );
  yield;
  const blocks = huge && pages >= 512;
  const whole = blocks ? Math.ceil(pages / 512) * 512 : pages;
  let a = yield* allocVa(k, whole + 1, blocks ? Math.max(512, align) : align);
  if (!a) return undefined;
  if (whole > 512) a = Object.assign(a, { array: yield* vmalloc(k, Math.ceil(whole / 512)) });
  if (blocks && uniform(k.r) < lacks) {
    yield* vfree(k, a);
    a = yield* allocVa(k, pages + 1, align);
    if (!a) return undefined;
    if (pages > 512) a = Object.assign(a, { array: yield* vmalloc(k, Math.ceil(pages / 512)) });
    yield* map(k, a, pages, false);
    return a;
  }
  yield* map(k, a, whole, blocks);
  return a;
}

function* lazily(k: Racing, a: Area): Generator<void, void> {
  const t = me(k);
  k.busy.delete(a.at);
  yield;
  const lazy = (k.lazyPages += a.size);
  yield;
  const node = a.node >= 0 ? a.node : Math.floor(a.at / 16) % k.cpus;
  k.nodes[node]!.lazy.push(a);
  yield;
  emit(k, t, `free_vmap_area_noflush: va_start=${hex(a.at)} nr_lazy=${lazy} nr_lazy_max=${k.max}`);
  yield;
  if (lazy > k.max) wakeDrain(k, t.cpu);
}

export function* vfree(k: Racing, a: Area): Generator<void, void> {
  const t = me(k);
  emit(k, t, `vfree: (vfree+0x0/0x270) addr=${hex(a.at)}`);
  yield;
  if (a.pages > 0)
    for (let s = Math.floor(a.at / 512); s * 512 < a.at + a.pages; s++)
      if (k.slots.get(s) === 'block') {
        emit(
          k,
          t,
          `pmd_clear_huge: (pmd_clear_huge+0x0/0x38) pmdp=${pmdp(s)} pmd=0x68000055c00701`,
        );
        k.slots.delete(s);
        yield;
      }
  yield* lazily(k, a);
  const { array } = a as Area & { array?: Area };
  if (array) yield* vfree(k, array);
}

const vn = (i: number): string => `0x${(0xffff000001004000n + BigInt(i) * 0x1880n).toString(16)}`;

export function* purge(k: Racing, full: boolean): Generator<void, void> {
  const t = me(k);
  while (k.purgeOwner) yield;
  k.purgeOwner = t;
  let [from, to] = [2 ** 52, 0];
  const has: number[] = [];
  for (let i = 0; i < k.cpus; i++) {
    const n = k.nodes[i]!;
    emit(k, t, `decay_node: (decay_va_pool_node+0x0/0x3d0) vn=${vn(i)} full=${full ? 1 : 0}`);
    yield;
    yield* decay(k, n, full);
    if (n.lazy.length > 0) {
      n.purging = n.lazy.sort((x, y) => x.at - y.at);
      n.lazy = [];
      from = Math.min(from, n.purging[0]!.at);
      to = Math.max(to, n.purging.at(-1)!.at + n.purging.at(-1)!.size);
      has.push(i);
    }
    yield;
  }
  let purged = 0;
  let helpers = Math.min(Math.max(Math.floor(k.lazyPages / k.max), 1), Math.max(1, has.length)) - 1;
  const waits: { done: boolean }[] = [];
  for (const i of has) {
    purged += k.nodes[i]!.purging.length;
    if (helpers-- > 0) {
      const w = { done: false };
      waits.push(w);
      spawn(k, `kworker/${i}:9`, i, true, function* () {
        yield* purgeNode(k, i, full);
        w.done = true;
      });
    } else yield* purgeNode(k, i, full);
  }
  while (waits.some((w) => !w.done)) yield;
  const text =
    has.length > 0 ? `start=${hex(from)} end=${hex(to)}` : 'start=0xffffffffffffffff end=0x0';
  emit(k, t, `purge_vmap_area_lazy: ${text} num_purged=${purged}`);
  k.purges++;
  yield;
  k.purgeOwner = undefined;
}

function* decay(k: Racing, n: Node, full: boolean): Generator<void, void> {
  const decayed: Area[] = [];
  for (let i = 0; i < 256; i++) {
    if (n.pools[i]!.length === 0) continue;
    const pool = n.pools[i]!;
    n.pools[i] = [];
    yield;
    let count = full || pool.length < 4 ? pool.length : pool.length >> 2;
    while (count-- > 0) decayed.push(pool.shift()!);
    yield;
    if (pool.length > 0) n.pools[i] = pool;
    yield;
  }
  mergedBack(k, decayed);
}

function mergedBack(k: Racing, list: Area[]): void {
  const sorted = list.sort((x, y) => x.at - y.at);
  let run: Area | undefined;
  for (const a of sorted) {
    if (run && run.at + run.size === a.at) run.size += a.size;
    else {
      if (run) giveBack(k, run);
      run = { ...a };
    }
  }
  if (run) giveBack(k, run);
}

function* purgeNode(k: Racing, i: number, full: boolean): Generator<void, void> {
  const t = me(k);
  const n = k.nodes[i]!;
  emit(
    k,
    t,
    `purge_node: (purge_vmap_node+0x0/0x1e8) work=0x${(BigInt(vn(i)) + 0x1858n).toString(16)}`,
  );
  yield;
  const rest: Area[] = [];
  let pages = 0;
  for (const a of n.purging) {
    pages += a.size;
    if (a.node >= 0 && !full && a.size <= 256) {
      n.pools[a.size - 1]!.unshift(a);
      yield;
    } else rest.unshift(a);
  }
  n.purging = [];
  k.lazyPages -= pages;
  yield;
  for (const a of rest) giveBack(k, a);
  yield;
}

/** The worker that drains: one task, woken on the CPU of the free. */
function wakeDrain(k: Racing, cpu: number): void {
  if (k.drainDue) return;
  k.drainDue = true;
  spawn(k, `kworker/${cpu}:1`, cpu, true, function* () {
    k.drainDue = false;
    emit(k, me(k), 'drain: (drain_vmap_area_work+0x0/0x80)');
    yield;
    yield* purge(k, false);
  });
}

const pids = new WeakMap<Racing, number>();

export function spawn(
  k: Racing,
  name: string,
  cpu: number,
  bound: boolean,
  body: () => Generator<void, void>,
): void {
  const pid = (pids.get(k) ?? 60) + 1;
  pids.set(k, pid);
  const t: Task = {
    name,
    pid,
    cpu,
    bound,
    sleeping: false,
    body: (function* () {
      yield* body();
    })(),
  };
  // A worker preempts at once on one CPU.
  k.tasks.unshift(t);
}

/** Run all tasks to their end: a CPU goes on for some steps, then another; now and then a task is preempted or moves. */
export function run(k: Racing): void {
  let cpu = 0;
  const running = new Map<number, Task>();
  while (k.tasks.length > 0) {
    if (uniform(k.r) < k.shift) cpu = below(k.r, k.cpus);
    const here = k.tasks.filter((t) => t.cpu === cpu);
    if (here.length === 0) {
      cpu = k.tasks[below(k.r, k.tasks.length)]!.cpu;
      continue;
    }
    let t = running.get(cpu);
    const worker = here.find((x) => x.bound && x !== t);
    if (!t || !here.includes(t) || uniform(k.r) < k.preempt || (worker && uniform(k.r) < 0.5))
      t = worker && uniform(k.r) < 0.8 ? worker : here[below(k.r, here.length)]!;
    if (!t.bound && uniform(k.r) < k.preempt / 10) {
      t.cpu = below(k.r, k.cpus);
      continue;
    }
    running.set(cpu, t);
    current.set(k, t);
    if (t.body.next().done) k.tasks.splice(k.tasks.indexOf(t), 1);
  }
}

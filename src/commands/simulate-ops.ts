import { type OpList, opList, type TaskOps } from '../analyses/op-list.js';
import { type RaceWindows, raceWindows } from '../analyses/race-windows.js';
import { sleepCosts } from '../analyses/sleep-costs.js';
import type { Profile } from '../engines/cost.js';
import { runAlone } from '../engines/run.js';
import { fileWriter, memoryWriter } from '../events/file.js';
import type { Trace } from '../events/trace.js';
import { type Areas, runOps } from '../linux/lib/op-list.js';
import type { VmallocState } from '../linux/mm/vmalloc-state.js';
import { task } from '../linux/system.js';
import { schemes } from '../schemes/index.js';
import { asciiLine } from './ascii.js';
import { type Answer, type Command, type Context, type Options, UserError } from './command.js';
import { load, traceOptions } from './load.js';
import { machineOf, machineOptions, whole } from './machine-options.js';
import { runTimed, type TimedWorker, timedOptions } from './simulate-timed.js';
import { CUT_OFF, cutRows, type Ended, endText } from './simulated-end.js';
import { startFrom } from './start-from.js';
import { toCsv } from './write.js';

/** Tasks of their own, at most: locks of the model hold 30, readers among them. */
const MOST_TASKS = 12;

/** Tasks with few operations share one task a CPU, in the order of their begins. */
function gathered(list: OpList): TaskOps[] {
  const own = list.tasks.slice(0, MOST_TASKS - 1);
  const rest = list.tasks.slice(MOST_TASKS - 1);
  const byCpu = new Map<number, TaskOps[]>();
  for (const t of rest) byCpu.set(t.cpu, [...(byCpu.get(t.cpu) ?? []), t]);
  const begin = (t: TaskOps): number => t.ops[0]!.rest_ns;
  const others = [...byCpu].map(([cpu, tasks]) => ({
    task: `others/${cpu}`,
    pid: -1,
    cpu,
    ops: tasks.sort((a, b) => begin(a) - begin(b)).flatMap((t) => t.ops),
  }));
  return [...own, ...others];
}

/** CPUs by how little is done there: readers go to the idlest. */
function idlest(tasks: readonly TaskOps[], cpus: number): number[] {
  const busy = new Array<number>(cpus).fill(0);
  for (const t of tasks) busy[t.cpu % cpus]! += t.ops.length;
  return busy.map((n, cpu) => ({ n, cpu })).sort((a, b) => a.n - b.n).map((x) => x.cpu); // biome-ignore format: one line
}

/** One run of the list under `scheme`. */
function runList(list: OpList, scheme: string, label: string, options: Options, out?: string) {
  const cpus = options['cpus'] === undefined ? list.cpus : whole(options, 'cpus', 1, 8192);
  const preset = { granule: '4K', vaBits: 48, image: 0 };
  const machine = { ...machineOf({ ...preset, ...options, cpus }), geometry: list.geometry, image_pages: list.image_pages }; // biome-ignore format: one line
  const areas: Areas = new Map();
  const tasks = gathered(list);
  const workers: TimedWorker[] = tasks.map((t) => ({
    name: t.task,
    cpu: t.cpu % cpus,
    work: (vm: VmallocState) => runOps(vm, t.ops, areas),
  }));
  const prepare = (vm: VmallocState): void => {
    startFrom(vm, options);
    const boot = task(vm.sys, 'before', 0, function* () {});
    runAlone(vm.sys, boot, runOps(vm, list.before, areas, false));
  };
  const o = { ...options, scheme };
  const readers = idlest(tasks, cpus);
  if (out === undefined) return runTimed(machine, workers, o, label, memoryWriter, prepare, readers); // biome-ignore format: one line
  const ran = runTimed(machine, workers, o, label, (m) => fileWriter(out, m), prepare, readers);
  return { ...ran, trace: null };
}

/** The operations of a list run again in memory, under rules of kernel 6.12. */
export const againUnder = (
  list: OpList,
  scheme: string,
  o: { readers: number; seed: string; profile: Profile | string; kernel?: string },
): Trace => {
  const machine = { fragmentation: 0, nodes: 1, memory: 16, rest: 0, kernel: '6.12' };
  return runList(list, scheme, `operations, ${scheme}`, { ...machine, ...o }).trace!;
};

interface Row {
  readonly scheme: string;
  readonly frees: number | null;
  readonly in_walk: number | null;
  readonly unlocked: number | null;
  readonly read_wait_p50_us: number | null;
  readonly read_wait_p90_us: number | null;
  readonly slept: number | null;
  readonly asleep_max_us: number | null;
  readonly lost_huge: number | null;
  readonly violations: number;
  /** A bound was hit: the figures are of what ran until then. */
  readonly cut_off: boolean;
}

function rowOf(scheme: string, trace: Trace, end?: Ended): Row {
  const r: RaceWindows = raceWindows(trace);
  const vmalloc = sleepCosts(trace).by_scheme.find((c) => c.role === 'vmalloc');
  return {
    scheme,
    frees: r.frees.total,
    in_walk: r.frees.in_walk,
    unlocked: r.frees.in_walk_unlocked,
    read_wait_p50_us: r.read_lock.wait_us?.p50 ?? null,
    read_wait_p90_us: r.read_lock.wait_us?.p90 ?? null,
    slept: vmalloc?.slept ?? null,
    asleep_max_us: vmalloc?.asleep_us?.max ?? null,
    lost_huge: vmalloc?.lost_huge ?? null,
    violations: vmalloc?.violations ?? 0,
    cut_off: (end?.cut_off ?? null) !== null,
  };
}

const WIDTHS = [6, 6, 6, 7, 7, 7, 8, 6];
const cells = (values: readonly (string | number | null)[]): string =>
  values.map((v, i) => (v === null ? '-' : String(typeof v === 'number' ? Math.round(v) : v)).padStart(WIDTHS[i]!)).join(''); // biome-ignore format: one line

const line = (r: Row): string =>
  r.scheme.padEnd(18) +
  cells([r.frees, r.in_walk, r.unlocked, r.read_wait_p50_us, r.read_wait_p90_us, r.slept, r.asleep_max_us, r.lost_huge]); // biome-ignore format: one line

function about(path: string, list: OpList, options: Options): string[] {
  const left = Object.entries(list.left_out).map(([what, n]) => `left out: ${n} ${what}`);
  return [
    `${list.operations} operations of ${list.tasks.length} tasks of ${path}`,
    `${list.before.length} before them done untimed; ${options['readers']} readers of the dump`,
    ...left,
  ];
}

const ascii = (lines: readonly string[]): string => lines.map((l) => asciiLine(l, 72)).join('\n');

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  const path = args[0]!;
  const trace = await load(path, options, context);
  const list = opList(trace);
  if (list.operations === 0)
    throw new UserError(
      `${path}: no operation on vmalloc${list.before.length > 0 ? ' after MARK wl_begin' : ''}; record them with: echo 1 > events/vmalloc/enable`,
    );
  const kernel = options['rules'] ?? options['kernel'] ?? trace.meta.kernel ?? '6.12';
  const o = { ...options, kernel };
  const scheme = String(options['scheme'] ?? 'v6');
  const label = `operations of ${path.split('/').at(-1)}`;
  const text = about(path, list, options);
  const head = { trace: path, operations: list.operations, tasks: list.tasks.length, before: list.before.length, left_out: list.left_out }; // biome-ignore format: one line
  if (scheme !== 'all') {
    const out = String(options['output']);
    const { events, end } = runList(list, scheme, label, o, out);
    return {
      json: { ...head, scheme, output: out, events, ...end },
      text: ascii([...text, `${out}: ${events} events`, ...endText(end)]),
      status: end.cut_off ? CUT_OFF : 0,
    };
  }
  const real = rowOf('(the trace)', trace);
  const ran = Object.keys(schemes).map((s) => {
    const { trace: t, end } = runList(list, s, label, o);
    return rowOf(s, t!, end);
  });
  const rows = [real, ...ran];
  const titles = ['frees', 'walk', 'bare', 'p50 us', 'p90 us', 'slept', 'max us', 'lost'];
  const table = [
    'scheme'.padEnd(18) + cells(titles),
    ...rows.map(line),
    'frees: tables freed; walk: in a walk; bare: in a walk, no lock held;',
    'p50, p90: wait for the read lock; slept, max us: calls of vmalloc',
    ...cutRows(rows),
  ];
  const status = rows.some((r) => r.cut_off) ? CUT_OFF : 0;
  return { json: { ...head, rows }, text: ascii([...text, ...table]), csv: toCsv(rows), status };
}

/** `ptlab simulate ops`: what a real trace asked of vmalloc, beside readers of the dump, under any scheme. */
export const opsCommand: Command = {
  args: '<trace>',
  about: 'the operations of a real trace, with its rests and CPUs, under any scheme',
  options: [
    ...traceOptions,
    ...timedOptions.filter(([flags]) => !/--scheme/.test(flags)),
    ['--scheme <name>', 'locking scheme; all: a table of every scheme beside the trace', 'v6'],
    ...machineOptions.filter(([flags]) => /--(output|nodes|memory|frag|seed|from)/.test(flags)),
    ['--rules <release>', 'kernel whose rules apply; default: that of the trace, or 6.12'],
    ['--cpus <n>', 'CPUs; default: as many as the trace uses'],
  ],
  examples: [
    'ptlab simulate ops trace.txt.gz --scheme v6 --readers 2 -o run.arrow',
    'ptlab simulate ops trace.txt.gz --scheme all --profile guest.json',
  ],
  run,
};

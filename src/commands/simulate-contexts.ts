import { type Costs, sleepCosts } from '../analyses/sleep-costs.js';
import { logSink } from '../engines/sim-log.js';
import { simulate } from '../engines/simulate.js';
import { memoryWriter } from '../events/file.js';
import { newMeta } from '../events/meta.js';
import { type CallContext, CONTEXTS, GFPS, type Gfp } from '../linux/mm/gfp.js';
import { lock } from '../linux/system.js';
import { contextCalls } from '../scenarios/contexts.js';
import { timedSystem } from '../scenarios/timed.js';
import { schemes } from '../schemes/index.js';
import { type Answer, byName, type Command, type Options } from './command.js';
import { machineOf, machineOptions, whole } from './machine-options.js';
import { timedOptions, timedSetup } from './simulate-timed.js';
import { boundsOf, CUT_OFF, cutRows } from './simulated-end.js';
import { toCsv } from './write.js';

const member = <T extends string>(what: string, list: readonly T[], name: string): T =>
  byName(what, Object.fromEntries(list.map((v) => [v, v])) as Record<string, T>, name);

interface Verdict {
  readonly scheme: string;
  readonly calls: number;
  readonly blocks: string;
  readonly slept: number | null;
  readonly max_us: number | null;
  readonly lost_huge: number | null;
  readonly violations: number;
  /** A bound was hit: the figures are of what ran until then. */
  readonly cut_off: boolean;
}

/** One scheme under these callers. */
function verdict(name: string, options: Options, gfp: Gfp, context: CallContext): Verdict {
  const s = timedSetup({ ...options, scheme: name });
  const machine = machineOf(options);
  const whatIf = options['whatIf'] === true;
  const loops = whole(options, 'loops', 1, 1e6);
  const seed = String(options['seed']);
  const { sys } = timedSystem({
    ...s,
    era: machine.era!,
    cpus: machine.cpus,
    machine,
    callers: [
      {
        name: 'caller',
        cpu: 0,
        run: (vm) => contextCalls(vm, { gfp, context, loops, whatIf, lock: lock(vm.sys, "caller's lock") }, 0), // biome-ignore format: one line
      },
    ],
  });
  const meta = newMeta('contexts', 'run');
  meta.run = { scheme: name, scenario: 'contexts', era: machine.era!.name, seed, cost_model: s.profile.name }; // biome-ignore format: one line
  const writer = memoryWriter(meta);
  const { cut } = simulate(sys, { profile: s.profile, seed, sink: logSink(writer.log), cpus: machine.cpus, limits: boundsOf(options) }); // biome-ignore format: one line
  const a = sleepCosts(writer.finish(meta));
  // The small objects of the workload are GFP_KERNEL calls of a task that may sleep.
  const of = a.calls.filter(
    (c) => c.role === 'vmalloc' && c.gfp === gfp && c.size_bytes >= 2 ** 21,
  );
  const rows: Costs[] = a.by_context.filter(
    (c) => c.role === 'vmalloc' && c.context.startsWith(gfp),
  );
  const asleep = of.filter((c) => c.asleep_ns > 0).map((c) => c.asleep_ns);
  return {
    scheme: name,
    calls: of.length,
    blocks: `${of.filter((c) => c.frees > 0).length} replaced`,
    slept: asleep.length,
    max_us: asleep.length > 0 ? Math.max(...asleep) / 1000 : null,
    lost_huge: rows[0]?.lost_huge ?? null,
    violations: of.reduce((n, c) => n + c.violations, 0),
    cut_off: cut !== null,
  };
}

async function run(_: readonly string[], options: Options): Promise<Answer> {
  const gfp = member('GFP flags', GFPS, String(options['gfp']));
  const context = member('context', CONTEXTS, String(options['context']));
  const names =
    options['scheme'] === undefined ? Object.keys(schemes) : [String(options['scheme'])];
  const rows = names.map((n) => verdict(n, options, gfp, context));
  const whatIf = options['whatIf'] === true;
  const cells = (r: Verdict): string =>
    [
      r.scheme.padEnd(18),
      String(r.calls).padStart(6),
      r.blocks.padStart(13),
      String(r.slept ?? '-').padStart(7),
      (r.max_us === null ? '-' : r.max_us.toFixed(0)).padStart(9),
      String(r.lost_huge ?? '-').padStart(7),
      String(r.violations).padStart(7),
    ].join('');
  const text = [
    `${gfp} in ${context}, kernel ${String(options['kernel'])}, ${String(options['readers'])} readers`,
    ...(whatIf ? ['WHAT IF blocks were allowed there: no kernel does that'] : []),
    'scheme             calls       blocks  slept   max us   lost   BUGs',
    ...rows.map(cells),
    'BUGs: "sleeping function called from invalid context" and "scheduling',
    'while atomic", which the kernel prints as well where the task slept',
    ...cutRows(rows),
  ];
  const status = rows.some((r) => r.cut_off) ? CUT_OFF : 0;
  return { json: { gfp, context, what_if: whatIf, rows }, text: text.join('\n'), csv: toCsv(rows), status }; // biome-ignore format: one line
}

/** `ptlab simulate contexts`: may vmalloc be called so, under each scheme? */
export const contextsCommand: Command = {
  args: '',
  about: 'callers that may not sleep: who sleeps, and what the kernel would report',
  options: [
    ['--gfp <flags>', GFPS.join(', '), 'GFP_ATOMIC'],
    ['--context <name>', CONTEXTS.join(', '), 'preempt_disable'],
    ['--what-if', 'allow blocks to callers that cannot block; no kernel does that'],
    ['--loops <n>', 'calls', '20'],
    ...timedOptions,
    ...machineOptions.filter(([flags]) => !/--(output|from)/.test(flags)),
  ],
  examples: [
    'ptlab simulate contexts --kernel 6.12',
    'ptlab simulate contexts --kernel 6.19 --what-if --gfp GFP_NOWAIT',
  ],
  run,
};

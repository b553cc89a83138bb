import {
  defaultParameters,
  summary,
  type TestParameters,
  worker,
} from '../linux/lib/test-vmalloc.js';
import { mix, pattern, readPattern } from '../linux/lib/vmix.js';
import type { Answer, Command, Options } from './command.js';
import { machineOf, machineOptions, said, whole } from './machine-options.js';
import { contextsCommand } from './simulate-contexts.js';
import { lockWordsCommand } from './simulate-lock-words.js';
import { opsCommand } from './simulate-ops.js';
import { type Ran, simulate, type Worker } from './simulate-run.js';
import { timedOptions } from './simulate-timed.js';
import { CUT_OFF, endText } from './simulated-end.js';

function parameters(options: Options, version: '6.12' | '7.x'): TestParameters {
  const preset = defaultParameters(version);
  const mask = options['mask'];
  return {
    ...preset,
    run_test_mask:
      mask === undefined ? preset.run_test_mask : whole(options, 'mask', 0, 0x7fffffff),
    nr_threads: whole(options, 'threads', 1, 4096),
    test_loop_count: whole(options, 'loops', 1, 1e9),
    test_repeat_count: whole(options, 'repeat', 1, 1e6),
    nr_pages: whole(options, 'pages', 0, 2 ** 24),
    use_huge: options['useHuge'] === true,
    sequential_test_order: options['sequential'] === true,
  };
}

async function runTests(_: readonly string[], options: Options): Promise<Answer> {
  const machine = machineOf(options);
  const version = machine.era!.tests;
  const p = parameters(options, version);
  const on = { geometry: machine.geometry, onlineCpus: machine.cpus };
  const lines: string[] = [];
  const workers = Array.from(
    { length: p.nr_threads },
    (_x, i): Worker => ({
      name: `vmalloc_test/${i}`,
      cpu: i % machine.cpus,
      work: (function* () {
        const results = yield* worker(version, p, on, `${options['seed']} ${i}`);
        for (const r of results) lines.push(summary(version, p, r, 0));
      })(),
    }),
  );
  const ran = simulate(machine, workers, options, 'test_vmalloc');
  return answer(ran, options, lines);
}

function answer(ran: Ran, options: Options, lines: readonly string[]): Answer {
  const out = String(options['output']);
  return {
    json: { output: out, events: ran.events, kernel: ran.meta.kernel, lines, ...ran.end },
    text: [...lines, `${out}: ${ran.events} events`, ...endText(ran.end)].join('\n'),
    status: ran.end.cut_off ? CUT_OFF : 0,
  };
}

async function runMix(_: readonly string[], options: Options): Promise<Answer> {
  const machine = machineOf(options);
  const page = machine.geometry.pageSize_bytes;
  const loops = whole(options, 'loops', 1, 1e9);
  const ops = options['ops'] as string | undefined;
  const share = whole(options, 'huge-percent', 0, 100) / 100;
  const m = {
    slots: whole(options, 'slots', 1, 1e6),
    huge: share,
    max_small: whole(options, 'max-small', 1, 1e6),
    huge_pages: machine.geometry.pmd_pages,
    purge_every: whole(options, 'purge-every', 0, 1e9),
    loops,
  };
  const read = ops === undefined ? undefined : said(() => readPattern(ops));
  const work = read ? pattern(read, loops, page) : mix(m, page, String(options['seed']));
  return answer(
    simulate(machine, [{ name: 'vmix/0', cpu: 0, work }], options, 'vmix'),
    options,
    [],
  );
}

const testVmalloc: Command = {
  args: '',
  about: 'the tests of lib/test_vmalloc.c',
  options: [
    ['--mask <n>', 'run_test_mask: bit i runs test i'],
    ['--use-huge', 'use_huge: fix_size_alloc_test calls vmalloc_huge'],
    ['--pages <n>', 'nr_pages', '0'],
    ['--loops <n>', 'test_loop_count', '1000'],
    ['--repeat <n>', 'test_repeat_count', '1'],
    ['--threads <n>', 'nr_threads; they take turns, one call each', '1'],
    ['--sequential', 'sequential_test_order: do not shuffle the tests'],
    ...timedOptions,
    ...machineOptions,
  ],
  examples: [
    'ptlab simulate test_vmalloc --mask 1 --use-huge --pages 512 -o run.arrow',
    'ptlab simulate test_vmalloc --mask 7 --kernel 7.0 --cpus 4 --seed 3 -o run.arrow',
  ],
  run: runTests,
};

const vmix: Command = {
  args: '',
  about: 'page-mapped and block-mapped vmallocs, mixed',
  options: [
    [
      '--ops <pattern>',
      'hN and sN allocate N pages, F frees all, p purges, rN rests N us: h512.F.p.s600.F.p',
    ],
    ['--loops <n>', 'how often', '1000'],
    ['--slots <n>', 'random mix: areas held at a time', '32'],
    ['--huge-percent <n>', 'random mix: share of block-mapped ones', '25'],
    ['--max-small <n>', 'random mix: largest page-mapped size, in pages', '600'],
    ['--purge-every <n>', 'random mix: purge after so many steps; 0: never by itself', '0'],
    ...timedOptions,
    ...machineOptions,
  ],
  examples: [
    'ptlab simulate vmix --ops h512.F.p.s600.F.p --loops 100 -o run.arrow',
    'ptlab simulate vmix --huge-percent 25 --cpus 1 -o run.arrow',
    'ptlab simulate vmix --scheme v6 --readers 2 --cpus 4 --loops 200 -o run.arrow',
  ],
  run: runMix,
};

/** `ptlab simulate`: a workload on the modelled kernel, written as a trace. */
export const simulateCommand: Command = {
  args: '',
  about: 'run a workload on the modelled kernel and write its trace',
  sub: {
    contexts: contextsCommand,
    'lock-words': lockWordsCommand,
    ops: opsCommand,
    test_vmalloc: testVmalloc,
    vmix,
  },
  examples: ['ptlab simulate test_vmalloc --mask 1 --use-huge --pages 512 -o run.arrow'],
};

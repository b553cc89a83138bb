import { quote } from '../export/shell.js';
import { type Answer, byName, type Command, type Options, UserError } from './command.js';
import { type Need, needs, type Probe } from './recipes.js';

/** '6.12.117-vmtest' -> 6012. */
export function version(release: string): number {
  const m = /^(\d{1,3})\.(\d{1,3})/.exec(release);
  if (!m) {
    throw new UserError(`'${release}' is no kernel release; write it like 6.12 (see uname -r)`);
  }
  return Number(m[1]) * 1000 + Number(m[2]);
}

export const applies = (kernel: number, since = '0.0', until = '999.0'): boolean =>
  kernel >= version(since) && kernel < version(until);

export const probeLine = (p: Probe): string =>
  `${p.back ? 'r' : 'p'}:ptlab/${p.name} ${p.at} ${p.args}`.trim();

/** Lines that try each write: a kernel may lack one function, and the rest must go on. */
function probeLines(probes: readonly Probe[]): string[] {
  return probes.map((p) => `probe ${quote(probeLine(p))}`);
}

const initMmLines = [
  'init_mm=$(awk \'$3 == "init_mm" { print $1 }\' /proc/kallsyms)',
  'case "$init_mm" in *[1-9a-f]*)',
  '  for e in start_locking acquire_returned released; do',
  '    echo "mm == 0x$init_mm" > "$t/events/mmap_lock/mmap_lock_$e/filter"',
  '  done;;',
  '  *) echo "init_mm is not in kallsyms: all mmap_locks are recorded" >&2;;',
  'esac',
];

const head = (about: string, kernel: string): string[] => [
  '#!/bin/bash',
  `# Records ${about}, on kernel ${kernel}.`,
  '# Read it, then run it as root. It changes tracefs and nothing else.',
  'set -u',
  't=/sys/kernel/tracing',
  '[ -e "$t/trace" ] || mount -t tracefs nodev "$t" || exit 1',
  'probe() { echo "$1" >> "$t/kprobe_events" || echo "no probe: $1" >&2; }',
];

/** What both ways do before: probes, and which mmap_lock is wanted. */
const setUp = (n: Need, probes: readonly Probe[]): string[] => [
  'echo 0 > "$t/tracing_on"',
  'echo > "$t/trace"',
  ...probeLines(probes),
  ...(n.initMm ? initMmLines : []),
];

const mark = (text: string): string => `echo ${quote(text)} > "$t/trace_marker"`;

function tracefsScript(n: Need, events: readonly string[], probes: readonly Probe[], o: Wanted) {
  return [
    ...setUp(n, probes),
    `echo ${o.bufferKb} > "$t/buffer_size_kb"`,
    ...events.map((e) => `echo 1 > "$t/events/${e}/enable"`),
    ...(probes.length > 0 ? ['echo 1 > "$t/events/ptlab/enable"'] : []),
    'echo 1 > "$t/tracing_on"',
    mark('MARK wl_begin'),
    o.workload,
    mark('MARK wl_end'),
    'echo 0 > "$t/tracing_on"',
    `gzip -c "$t/trace" > ${quote(o.output)}`,
    'echo 0 > "$t/events/enable"',
    'echo > "$t/kprobe_events"',
  ];
}

function traceCmdScript(n: Need, events: readonly string[], probes: readonly Probe[], o: Wanted) {
  const names = events.map((e) => `-e ${quote(e.replace('/', ':'))}`);
  const all = probes.length > 0 ? [...names, '-e ptlab'] : names;
  const run = `/bin/bash -c ${quote(`${mark('MARK wl_begin').replace('"$t/', '"/sys/kernel/tracing/')}; ${o.workload}; ${mark('MARK wl_end').replace('"$t/', '"/sys/kernel/tracing/')}`)}`;
  return [
    ...setUp(n, probes),
    'echo 1 > "$t/tracing_on"',
    `trace-cmd record -b ${o.bufferKb} -o ${quote(o.output)} \\`,
    ...all.map((e) => `  ${e} \\`),
    `  ${run}`,
    'echo > "$t/kprobe_events"',
  ];
}

interface Wanted {
  readonly bufferKb: number;
  readonly workload: string;
  readonly output: string;
}

const writers = { tracefs: tracefsScript, 'trace-cmd': traceCmdScript } as const;

function wanted(options: Options, by: string): Wanted {
  const seconds = Number(options['seconds']);
  if (!(seconds > 0 && seconds <= 86400)) {
    throw new UserError(`--seconds ${String(options['seconds'])}: a number from 1 to 86400`);
  }
  const bufferKb = Number(options['bufferKb']);
  if (!(Number.isInteger(bufferKb) && bufferKb > 0)) {
    throw new UserError(`--buffer-kb ${String(options['bufferKb'])}: a whole number of kilobytes`);
  }
  const own = options['command'];
  const workload = typeof own === 'string' ? `/bin/sh -c ${quote(own)}` : `sleep ${seconds}`;
  const preset = by === 'tracefs' ? 'trace.txt.gz' : 'trace.dat';
  return { bufferKb, workload, output: String(options['output'] ?? preset) };
}

async function run(args: readonly string[], options: Options): Promise<Answer> {
  const name = args[0]!;
  const need = byName('recipe', needs, name);
  const by = String(options['by']);
  const script = byName('way to record', writers, by);
  const release = String(options['kernel']);
  const kernel = version(release);
  const probes = need.probes.filter((p) => applies(kernel, p.since, p.until));
  const events = need.events.filter(([, since]) => applies(kernel, since)).map(([e]) => e);
  const missing = need.events.filter(([, since]) => !applies(kernel, since)).map(([e]) => e);
  const lines = [
    ...head(need.about, release.replace(/[^\w.+-]/g, '?')),
    ...missing.map((e) => `# this kernel has no ${e}`),
    ...script(need, events, probes, wanted(options, by)),
  ];
  const text = `${lines.join('\n')}\n`;
  return {
    json: {
      recipe: name,
      kernel: release,
      by,
      events,
      probes: probes.map(probeLine),
      script: text,
    },
    text,
  };
}

/** `ptlab record`: prints the commands that record what an analysis needs; runs nothing. */
export const record: Command = {
  args: '<recipe>',
  about: `print (never run) a script that records for: ${Object.keys(needs).join(', ')}`,
  options: [
    ['--kernel <release>', 'kernel the script will run on', '6.12'],
    ['--by <way>', `${Object.keys(writers).join(' or ')}`, 'tracefs'],
    ['--seconds <n>', 'how long to record', '10'],
    ['--command <line>', 'record while this shell command runs, instead of --seconds'],
    ['--buffer-kb <n>', 'ring buffer for each CPU', '65536'],
    ['-o, --output <file>', 'file that the script writes; default: trace.txt.gz or trace.dat'],
  ],
  examples: [
    'ptlab record overwrites --kernel 6.12 > record.sh',
    "ptlab record race-windows --by trace-cmd --command 'modprobe test_vmalloc'",
  ],
  run,
};

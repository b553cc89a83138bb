import { type Answer, byName, type Command, type Options, UserError } from './command.js';
import { needs } from './recipes.js';
import {
  posixQuote,
  probeLine,
  traceCmdScript,
  tracefsScript,
  type Wanted,
} from './record-script.js';

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
  const workload = typeof own === 'string' ? `/bin/sh -c ${posixQuote(own)}` : `sleep ${seconds}`;
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
  const known = { need, kernel: release.replace(/[^\w.+-]/g, '?'), events, probes, missing };
  const text = `${script(known, wanted(options, by)).join('\n')}\n`;
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

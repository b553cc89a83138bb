import { lockScaling, lockWords } from '../engines/lock-scaling.js';
import type { Answer, Command, Options } from './command.js';
import { whole } from './machine-options.js';
import { profileOf } from './profile-file.js';
import { toCsv } from './write.js';

async function run(_: readonly string[], options: Options): Promise<Answer> {
  const profile = profileOf(String(options['profile']));
  const rows = lockScaling(profile, whole(options, 'work', 1, 1e9));
  const cpus = [...new Set(rows.map((r) => r.cpus))];
  const line = (name: string, cells: readonly string[]): string =>
    name.padEnd(16) + cells.map((c) => c.padStart(7)).join('');
  const text = [
    `calls a second, in millions, of all CPUs together (${profile.name})`,
    line('CPUs', cpus.map(String)),
    ...Object.keys(lockWords).map((word) =>
      line(
        word,
        rows.filter((r) => r.word === word).map((r) => (r.calls_per_s / 1e6).toFixed(2)),
      ),
    ),
    'No other lock of vmalloc is counted: an upper bound for each.',
  ];
  return { json: { profile: profile.name, rows }, text: text.join('\n'), csv: toCsv(rows) };
}

/** `ptlab simulate lock-words`: what the lock word alone costs, with no dump anywhere. */
export const lockWordsCommand: Command = {
  args: '',
  about: 'throughput over 1 to 128 CPUs by what each call does to a shared lock word',
  options: [
    ['--profile <name>', 'machine profile, or a file of ptlab calibrate', 'mesh-server'],
    ['--work <ns>', 'time of a call beside the lock word', '1000'],
  ],
  examples: ['ptlab simulate lock-words', 'ptlab simulate lock-words --profile small-soc --json'],
  run,
};

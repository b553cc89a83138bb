import { toText } from '../export/text.js';
import { type Context, type Options, UserError } from './command.js';
import { explore } from './explore.js';

/** What of `ptlab explore --json` a race diagram shows. */
interface Explored {
  readonly scenario: string;
  readonly scheme: string;
  readonly memory: string;
  readonly verdict: string;
  readonly kind: string | null;
  readonly steps: number | null;
  readonly states: number;
  readonly transitions: number;
  readonly runs: number | null;
  readonly bounds: { readonly sizes: Readonly<Record<string, number>> };
  readonly counterexample: readonly { task: string; text: string; held: readonly string[] }[];
  readonly explanation: string | null;
}

const sizes = (v: Explored): string =>
  Object.entries(v.bounds.sizes)
    .map(([name, n]) => `${name} ${n}`)
    .join(', ');

/** The shortest bad run, a column for each task. */
function bad(v: Explored): Record<string, unknown> {
  const rows = v.counterexample.map((m, i, all) => ({
    lane: m.task,
    text: m.text,
    ...(i === all.length - 1 && v.kind ? { note: v.kind } : {}),
  }));
  const notes = [
    v.explanation ?? '',
    `Searched: ${v.states} states, ${v.transitions} transitions.`,
  ];
  return { rows, shape: 'race', notes: notes.filter((n) => n !== '') };
}

/** Over what it is safe, or where the search gave up. */
const figures = (v: Explored): Record<string, unknown> => ({
  shape: 'table',
  rows: [
    { verdict: v.verdict, interleavings: v.runs, states: v.states, transitions: v.transitions },
  ],
});

/** The text block of a verdict of `ptlab explore`; `words` is the command that gives it. */
export function raceText(verdict: unknown, words: readonly string[]): string {
  const v = verdict as Explored;
  const found = v.counterexample.length > 0;
  const head = {
    what: `${v.scenario} under ${v.scheme}: ${v.verdict}${v.kind ? `, ${v.kind}` : ''}`,
    unit: found ? 'steps of the shortest bad run' : 'runs',
    n: found ? (v.steps ?? v.counterexample.length) : (v.runs ?? v.states),
    kernel: 'model',
    config: `memory model ${v.memory}, ${sizes(v)}`,
  };
  return toText({
    data: { values: [] },
    usermeta: { ptlab: { head, command: words, ...(found ? bad(v) : figures(v)) } },
  });
}

/**
 * The race diagram of a locking scheme: `v3`, or `v3/pud-free` for another scenario; two readers.
 * @throws UserError naming the known schemes or scenarios.
 */
export async function raceBlock(arg: string, context: Context): Promise<string> {
  const [scheme = '', scenario = 'pmd-free'] = arg.split('/');
  if (scheme === '') throw new UserError('race wants a scheme: race:v3, race:v6/pud-free');
  const presets: Options = { scheme, memory: 'sc', readers: '2' };
  const { json } = await explore.run([scenario], presets, context);
  return raceText(json, ['ptlab', 'explore', scenario, '--scheme', scheme, '--readers', '2']);
}

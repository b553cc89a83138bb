import { type Analysis, analyses } from '../analyses/index.js';
import { charts } from '../charts/index.js';
import { toText } from '../export/text.js';
import { chartOf, chartSpec } from './charts.js';
import { byName, type Context, UserError } from './command.js';
import { aboutOf, load } from './load.js';
import { raceBlock } from './race-block.js';

/** What a block can be made of. */
export interface BlockInput {
  /** Traces the user named. */
  readonly traces: readonly string[];
  readonly context: Context;
}

/** Makes a block out of what stands behind the colon of NAME:ARG ('' without one). */
type Maker = (arg: string, input: BlockInput) => Promise<string>;

/** The trace to use: the only one, or the one whose path or file name is `arg`. */
function traceOf(arg: string, { traces }: BlockInput): string {
  const found = arg === '' ? traces : traces.filter((t) => t === arg || t.endsWith(`/${arg}`));
  if (found.length === 1) return found[0] as string;
  const named = traces.join(', ');
  if (traces.length === 0) throw new UserError('this block needs a trace: name one with --trace');
  if (arg === '') throw new UserError(`which trace? Say NAME:FILE with one of ${named}`);
  throw new UserError(`no trace '${arg}' among those of --trace: ${named}`);
}

const fromChart =
  (name: string): Maker =>
  async (arg, input) => {
    const path = traceOf(arg, input);
    return toText(chartSpec(name, await load(path, {}, input.context), path));
  };

const fromAnalysis =
  (name: string): Maker =>
  async (arg, input) => {
    const path = traceOf(arg, input);
    const trace = await load(path, {}, input.context);
    const analysis = byName<Analysis<unknown>>('analysis', analyses, name);
    const about = aboutOf(path, trace, ['analyze', name, path]);
    return toText(chartOf(analysis.summary).spec(analysis.run(trace), about));
  };

const each = (names: readonly string[], make: (name: string) => Maker): [string, Maker][] =>
  names.map((n) => [n, make(n)]);

/** Everything that can be put into a mail, by name; a chart goes before an analysis of its name. */
export const blocks: Readonly<Record<string, Maker>> = Object.fromEntries([
  ...each(Object.keys(analyses), fromAnalysis),
  ...each(Object.keys(charts), fromChart),
  ['race', (arg: string, { context }: BlockInput) => raceBlock(arg, context)],
]);

/**
 * The text block called `name` (NAME or NAME:ARG; ARG picks one of several traces, or a scheme).
 * @throws UserError listing the known names.
 */
export async function block(name: string, input: BlockInput): Promise<string> {
  const colon = name.indexOf(':');
  const [kind, arg] = colon < 0 ? [name, ''] : [name.slice(0, colon), name.slice(colon + 1)];
  return byName('block', blocks, kind)(arg, input);
}

import { diagram } from '../engines/diagram.js';
import { MAX_STATES } from '../engines/explore.js';
import { explorers } from '../engines/memories.js';
import { explorePromises } from '../engines/memory/kernel-explore.js';
import { MAX_WEAK_STATES } from '../engines/memory/weak.js';
import { sample } from '../engines/sample.js';
import type { Memory, Verdict } from '../engines/verdict.js';
import { sizesOf as checkedSizes, type Scenario } from '../linux/scenario.js';
import { variants } from '../linux/scheme.js';
import { exportAArch64 } from '../litmus/export.js';
import { exportLkmm } from '../litmus/export-lkmm.js';
import { scenarios } from '../scenarios/index.js';
import { type Answer, byName, type Command, type Context, type Options, UserError } from './command.js'; // biome-ignore format: one line
import { exploreAll } from './explore-all.js';
import { schemeOf, template } from './scheme-file.js';

/** A whole number from an option. */
function whole(options: Options, name: string, min: number): number | undefined {
  const text = options[name];
  if (text === undefined) return undefined;
  const n = Number(text);
  if (!Number.isSafeInteger(n) || n < min)
    throw new UserError(`--${name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`)} is '${text}'; it must be a whole number, at least ${min}`); // biome-ignore format: one line
  return n;
}

const sizeNames = ['readers', 'freers', 'tables', 'entries', 'walks', 'walkers', 'moves'];

function sizesOf(options: Options): Record<string, number> {
  const given = sizeNames.map((n) => [n, whole(options, n, 0)] as const);
  return Object.fromEntries(given.filter((p): p is [string, number] => p[1] !== undefined));
}

export function variantsOf(text: unknown): string[] {
  const names = String(text ?? '').split(',').map((v) => v.trim()).filter((v) => v !== ''); // biome-ignore format: one line
  for (const name of names) byName('variant', variants, name);
  return names;
}

const asciiSizes = (v: Verdict): string =>
  [...Object.entries(v.bounds.sizes).map(([k, n]) => `${k}=${n}`), ...v.bounds.variant].join(' ');

/** Over what the verdict stands. */
function over(v: Verdict): string {
  const { sampled, max_states, max_window } = v.bounds;
  const count = `${v.states} states, ${v.transitions} transitions`;
  if (sampled) return `sampled, proves nothing: ${v.runs} runs, ${sampled.by}, seed ${sampled.seed}, ${v.transitions} moves`; // biome-ignore format: one line
  if (v.verdict === 'cut off' && max_window && v.states <= max_states) return `cut off at ${max_window} steps under way, proves nothing: ${count}`; // biome-ignore format: one line
  if (v.verdict === 'cut off') return `cut off at ${max_states} states, proves nothing: ${count}`;
  if (v.verdict === 'bug') return `shortest: ${v.steps} steps; ${count}`;
  const runs = v.runs === null ? 'all interleavings' : `all ${v.runs < 1e15 ? v.runs : v.runs.toExponential(2)} interleavings`; // biome-ignore format: one line
  return `${runs}: ${count}`;
}

/** A token in lines of at most 70 characters, as a shell takes it. */
function replayLines(token: string): string[] {
  const parts = token.match(/.{1,68}/g) ?? [];
  return ['ptlab replay \\', ...parts.map((p, i) => `  ${p}${i < parts.length - 1 ? ' \\' : ''}`)];
}

function text(v: Verdict): string {
  const kind = v.kind ? `, ${v.kind}` : '';
  const lines = [
    `${v.scenario}, ${v.scheme}, ${v.memory}: ${v.verdict.toUpperCase()}${kind}`,
    `  ${asciiSizes(v)}`,
    `  ${over(v)}`,
  ];
  if (v.counterexample.length > 0) lines.push('', diagram(v));
  if (v.token) lines.push('', ...replayLines(v.token));
  return lines.join('\n');
}

/** An engine's complaint about sizes is the user's business. */
export function asUserError<T>(act: () => T): T {
  try {
    return act();
  } catch (e) {
    if (e instanceof RangeError || (e instanceof Error && e.constructor.name === 'Unsupported'))
      throw new UserError(e.message);
    throw e;
  }
}

async function verdict(scenario: Scenario, options: Options, context: Context): Promise<Verdict> {
  const scheme = await schemeOf(String(options['scheme']));
  const memory = String(options['memory']);
  const fast = byName('memory model', explorers, memory);
  const explore: typeof fast = options['promises']
    ? (at, by, how) => explorePromises(at, by, memory as Memory, how)
    : fast;
  const sizes = sizesOf(options);
  const variant = variantsOf(options['variant']);
  const bar = context.progress(`exploring ${scenario.name}`);
  const by = options['sample'];
  const given = whole(options, 'maxStates', 1);
  const maxStates = given ?? (memory === 'sc' ? MAX_STATES : MAX_WEAK_STATES);
  const bound = given === undefined ? {} : { maxStates: given };
  try {
    if (by === undefined) return asUserError(() => explore!(scenario, scheme, { sizes, variant, ...bound, progress: (n) => bar.update(n, maxStates, `${n} states`) })); // biome-ignore format: one line
    if (by !== 'random' && by !== 'pct') throw new UserError(`--sample is '${by}'. Known: random, pct`); // biome-ignore format: one line
    if (memory !== ('sc' satisfies Memory)) throw new UserError('--sample knows --memory sc only');
    const runs = whole(options, 'runs', 1) ?? 10_000;
    const depth = whole(options, 'depth', 1) ?? 3;
    const seed = whole(options, 'seed', 0) ?? 1;
    return asUserError(() => sample(scenario, scheme, { by, runs, seed, depth, sizes, variant, progress: (n) => bar.update(n, runs, `${n} runs`) })); // biome-ignore format: one line
  } finally {
    bar.stop();
  }
}

async function run(args: readonly string[], options: Options, context: Context): Promise<Answer> {
  if (options['all']) return exploreAll(context, whole(options, 'maxStates', 1));
  if (args[0] === undefined) throw new UserError(`which scenario? Known: ${Object.keys(scenarios).join(', ')}; or --all`); // biome-ignore format: one line
  const scenario = byName<Scenario>('scenario', scenarios, args[0]);
  if (options['litmus']) return litmus(scenario, options);
  const v = await verdict(scenario, options, context);
  return { json: v, text: options['diagram'] ? diagram(v) : text(v) };
}

/** The scenario's core for herd7, in place of a verdict. */
async function litmus(scenario: Scenario, options: Options): Promise<Answer> {
  const scheme = await schemeOf(String(options['scheme']));
  const sizes = asUserError(() => checkedSizes(scenario, sizesOf(options)));
  const sys = scenario.build(scheme, sizes, variantsOf(options['variant']));
  const writers = { aarch64: exportAArch64, lkmm: exportLkmm };
  const form = options['litmus'] === true ? 'aarch64' : String(options['litmus']);
  const write = byName('form of litmus test', writers, form);
  const test = asUserError(() => write(sys, `${scenario.name}+${scheme.name}`));
  return {
    json: { scenario: scenario.name, scheme: scheme.name, sizes, litmus: test },
    text: test,
  };
}

/** `ptlab explore`: can a walker touch a freed table under this scheme? */
export const explore = {
  args: '[scenario]',
  about: 'every interleaving of a scenario under a locking scheme: safe, or the shortest bug',
  options: [
    ['--scheme <name>', 'locking scheme by name, or a file: ./my-scheme.ts', 'v6'],
    ['--memory <model>', `memory model: ${Object.keys(explorers).join(', ')}`, 'sc'],
    ['--readers <n>', 'tasks that dump the tables'],
    ['--freers <n>', 'CPUs that overwrite tables'],
    ['--tables <n>', 'tables each CPU overwrites'],
    ['--entries <n>', 'pud-free: entries of a PMD table (512 is real)'],
    ['--walks <n>', 'dumps each reader makes'],
    ['--walkers <n>', 'hw-walk: CPUs whose hardware walks'],
    ['--moves <n>', 'hw-walk: times each entry is walked'],
    ['--variant <names>', `changes, comma-separated: ${Object.keys(variants).join(', ')}`],
    [
      '--max-states <n>',
      `give up (cut off) after so many states (sc: ${MAX_STATES}; tso, arm64: ${MAX_WEAK_STATES})`,
    ],
    ['--promises', 'the slow engine for a memory model: every order of messages, one by one'],
    ['--sample <how>', 'sample runs instead: random or pct; can find a bug, proves nothing'],
    ['--runs <n>', 'runs to sample (10000)'],
    ['--seed <n>', 'seed of the sample (1)'],
    ['--depth <n>', "pct's depth (3)"],
    ['--all', 'the table of schemes and memory models'],
    ['--diagram', 'only the counterexample'],
    ['--litmus [form]', "the scenario's core as a litmus test for herd7: aarch64 or lkmm"],
  ],
  examples: [
    'ptlab explore pmd-free --scheme v3 --readers 2',
    'ptlab explore pud-free --scheme v6 --entries 512 --json',
    'ptlab explore nowait --scheme v6 --diagram',
    'ptlab explore --all',
    `ptlab explore pmd-free --scheme ./my-scheme.ts\n${template}`,
  ],
  run,
} satisfies Command;

import { MAX_STATES } from '../engines/explore.js';
import { explorers } from '../engines/memories.js';
import { MAX_WEAK_STATES } from '../engines/memory/weak.js';
import type { Memory, Verdict } from '../engines/verdict.js';
import { scenarios } from '../scenarios/index.js';
import { type Row, rows } from '../scenarios/rows.js';
import { schemes } from '../schemes/index.js';
import type { Answer, Context } from './command.js';
import { toCsv } from './write.js';

/** One cell of the table: a row under a memory model, and what an outside judge says. */
export interface Cell extends Verdict {
  readonly row: string;
  readonly judged: Row['sc'] | null;
  /** Time to the verdict. */
  readonly ms: number;
}

/** The verdict of `row` under `memory`; undefined where its engine has no rules for what the row does. */
export function cellOf(row: Row, memory: Memory, maxStates?: number): Cell | undefined {
  const began = performance.now();
  const { sizes, variant } = row;
  const options = maxStates === undefined ? { sizes, variant } : { sizes, variant, maxStates };
  let v: Verdict;
  try {
    v = explorers[memory]!(scenarios[row.scenario], schemes[row.scheme], options);
  } catch (e) {
    if (e instanceof Error && e.constructor.name === 'Unsupported') return undefined;
    throw e;
  }
  const judged = (memory === 'tso' ? undefined : row[memory]) ?? null;
  return { row: row.id, ...v, judged, ms: performance.now() - began };
}

const short = { 'use after free': 'UAF', 'double free': 'double free', deadlock: 'deadlock', 'wild access': 'wild', 'sleeping in atomic context': 'sleeps' }; // biome-ignore format: one line

const say = (c: Cell): string => (c.kind ? `${short[c.kind]} ${c.steps}` : c.verdict);

/** '=' where the outside judge says the same, 'DIFFERS' where not, '' where there is none, or no verdict. */
export function against(c: Cell): '' | '=' | 'DIFFERS' {
  if (!c.judged || c.verdict === 'cut off') return '';
  const same = c.judged.verdict === c.verdict && (!c.judged.kind || c.judged.kind === c.kind);
  return same ? '=' : 'DIFFERS';
}

/** Sizes and variant: '2 readers, jump-label'. */
export const sizesText = (r: Pick<Row, 'sizes' | 'variant'>): string =>
  [...Object.entries(r.sizes).map(([k, n]) => `${n} ${k}`), ...r.variant].join(', ');

/** A row of the table; what differs from the usual stands below it if there is no room beside it. */
function line(row: Row, of: readonly (Cell | undefined)[]): string {
  const said = of
    .map((c) => (c ? `${say(c)} ${against(c)}` : 'no rules').trimEnd().padEnd(12))
    .join(' ');
  const head = `${row.id.padEnd(14)} ${row.scheme.padEnd(17)} ${said}`;
  const differs = sizesText(row);
  if (head.length + 1 + differs.length <= 72) return `${head} ${differs}`.trimEnd();
  return `${head.trimEnd()}\n${' '.repeat(15)}${differs}`;
}

const foot = `=: as SPIN (sc), herd7 or LKMM (arm64) say. 1 reader, 1 freer unless
stated. A number: steps of the counterexample. A search is cut off at
${MAX_STATES} states (sc), ${MAX_WEAK_STATES} (tso, arm64), or --max-states.`;

/** `explore --all`: every row under every memory model there is. */
export function exploreAll(context: Context, maxStates?: number): Answer {
  const models = Object.keys(explorers) as Memory[];
  const bar = context.progress('exploring');
  const cells = rows.map((row, i) => {
    bar.update(i, rows.length, row.id);
    return models.map((m) => cellOf(row, m, maxStates));
  });
  bar.stop();
  const heading = `${'row'.padEnd(14)} ${'scheme'.padEnd(17)} ${models.map((m) => m.padEnd(12)).join(' ')}`; // biome-ignore format: one line
  const lines = cells.map((of, i) => line(rows[i]!, of));
  const flat = cells.flat().filter((c) => c !== undefined);
  const table = flat.map(({ counterexample, bounds, judged, explanation, ...plain }) => plain);
  return { json: flat, text: [heading.trimEnd(), ...lines, foot].join('\n'), csv: toCsv(table) };
}

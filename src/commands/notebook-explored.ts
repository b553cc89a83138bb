// What notebook 01 shows: every row explored, its bugs, its sizes, the claims of the mails, and the answer in words.
import type { RaceWindows } from '../analyses/race-windows.js';
import type { RaceShare } from '../charts/race-share.js';
import { diagram } from '../engines/diagram.js';
import { explorers } from '../engines/memories.js';
import type { Memory, Verdict } from '../engines/verdict.js';
import { raceWindow } from '../engines/window.js';
import { WIDTH, wrap } from '../export/ascii.js';
import { type Check, claims } from '../scenarios/claims.js';
import { scenarios } from '../scenarios/index.js';
import { type Row, rows } from '../scenarios/rows.js';
import { schemes } from '../schemes/index.js';
import { byName } from './command.js';
import { against, type Cell, cellOf, sizesText } from './explore-all.js';

/** A row of the table of schemes, and what it came to. */
export interface Explored {
  readonly row: Row;
  readonly verdict: Cell;
}

type Run = Pick<Row, 'scenario' | 'scheme' | 'sizes' | 'variant'>;

/**
 * Every row of the table of schemes that has rules under `memory` (sc, tso, arm64), explored.
 * @throws UserError for another name.
 */
export function exploreRows(memory: string): Explored[] {
  byName('memory model', explorers, memory);
  return rows.flatMap((row) => {
    const verdict = cellOf(row, memory as Memory);
    return verdict ? [{ row, verdict }] : [];
  });
}

/** Of each row with a bug under SC, and of more tables side by side, the part of all interleavings that goes wrong. */
export function raceSizes(): RaceShare[] {
  const none: Run = { scenario: 'pmd-free', scheme: 'none', sizes: {}, variant: [] };
  const cases = [
    ...rows.filter((r) => r.sc?.verdict === 'bug').map((r) => ({ label: `${r.id} ${r.scheme}`, r })),
    ...[2, 4, 8].map((tables) => ({ label: `${tables} tables none`, r: { ...none, sizes: { tables } } })),
  ]; // biome-ignore format: a table
  return cases.map(({ label, r }) => ({
    label,
    ...raceWindow(scenarios[r.scenario], schemes[r.scheme], r),
  }));
}

/** `text` at column `at`, going on two columns further in. */
const lines = (text: string, at = 0): string[] =>
  wrap(text, WIDTH - at, '  ').map((l) => ' '.repeat(at) + l);

const outcome = (v: Verdict): string =>
  `${v.kind ?? v.verdict}${v.steps === null ? '' : `, ${v.steps} steps`}`;

const tableText = (list: readonly Explored[]): string =>
  list
    .flatMap(({ row, verdict }) => {
      const head = `${row.id.padEnd(14)} ${row.scheme.padEnd(18)}${outcome(verdict).padEnd(26)}`;
      const more = sizesText(row);
      return [`${head} ${against(verdict)}`.trimEnd(), ...(more === '' ? [] : [`${' '.repeat(15)}${more}`])];
    })
    .join('\n'); // biome-ignore format: a table

const bugsText = (list: readonly Explored[]): string =>
  list
    .filter((e) => e.verdict.verdict === 'bug')
    .map(({ row, verdict }) => {
      const title = lines(`${row.id}: ${schemes[row.scheme].title}`).join('\n');
      return `${title}\n${diagram(verdict)}\nptlab replay \\\n  ${verdict.token}\n`;
    })
    .join('\n');

const safeText = (list: readonly Explored[]): string =>
  list
    .filter((e) => e.verdict.verdict === 'safe')
    .map(({ row, verdict: v }) => {
      const runs = v.runs === null ? 'runs not counted' : `${v.runs.toPrecision(4)} runs`;
      const states = `${v.states} states`.padStart(15);
      return `${row.id.padEnd(14)} ${row.scheme.padEnd(18)}${states}, ${runs}`;
    })
    .join('\n');

/** What a run of a claim was, and came to. */
const checkText = (c: Check, v: Verdict): string[] => {
  const what = [c.scheme, sizesText(c)].filter((w) => w !== '').join(', ');
  return lines(`${c.memory} ${c.scenario} ${what} -> ${outcome(v)}`, 5);
};

const claimsText = (): string =>
  claims
    .flatMap((claim, i) => {
      const runs = claim.checks.map((c) => ({
        c,
        v: explorers[c.memory]!(scenarios[c.scenario], schemes[c.scheme], c),
      }));
      const stands = runs.every(({ c, v }) => c.verdict === v.verdict);
      return [
        ...lines(`${i + 1}. ${claim.who}: ${claim.says}`),
        ...runs.flatMap(({ c, v }) => checkText(c, v)),
        ...lines(`${stands ? '=>' : 'NOT AS RULED:'} ${claim.ruling}`, 3),
        '',
      ];
    })
    .join('\n');

function measuredText({ frees, key, missing }: RaceWindows): string {
  if (frees.in_walk === null) return ['This trace cannot tell:', ...missing].flatMap((l) => lines(l)).join('\n'); // biome-ignore format: one line
  const off = key
    ? `The key went off under another walk ${key.off_under_walk} times.`
    : 'The trace has no key events.';
  return lines(
    `${frees.total} tables freed, ${frees.in_walk} of them under another task's walk; ` +
      `${frees.in_walk_unlocked} of these with no lock, ${frees.in_walk_unlocked_to_the_end} ` +
      `wholly inside the walk. ${off}`,
  ).join('\n');
}

/** What a variant leaves out of a scheme as posted: a test of the test. */
const leftOut = new Set(['no-ipi', 'no-isb', 'not-isolated', 'unfair', 'flag', 'bare-disable', 'dmb-disable', 'dmb-ld-disable']); // biome-ignore format: one line

const said = (list: readonly Explored[]): string =>
  list
    .map(({ row, verdict: v }) => `${row.scheme} ${row.variant.join('+')} ${v.kind ?? v.verdict}`)
    .join('; ');

function answerText(list: readonly Explored[]): string {
  const memory = list[0]?.verdict.memory;
  const judged = list.filter((e) => e.verdict.judged);
  const differ = judged.filter((e) => against(e.verdict) !== '=');
  const isPosted = ({ row }: Explored): boolean => !row.variant.some((v) => leftOut.has(v));
  const names = (of: readonly Explored[]) => [...new Set(of.map((e) => e.row.scheme))];
  const isFull = ({ row }: Explored): boolean => row.variant.includes('full-walk');
  const posted = list.filter((e) => isPosted(e) && !isFull(e));
  const bad = names(posted.filter((e) => e.verdict.verdict === 'bug'));
  const good = names(posted).filter((s) => !bad.includes(s));
  return [
    `${list.length} rows under ${memory}: ${differ.length} of ${judged.length} differ from the outside judges.`,
    `As posted, a bug at some size: ${bad.join(', ')}.`,
    `As posted, none at any size tried: ${good.join(', ')}.`,
    `With each of the walk's reads of an entry, the last one unchecked: ${said(list.filter(isFull))}.`,
    `With a part left out, as a test of the test: ${said(list.filter((e) => !isPosted(e)))}.`,
  ]
    .flatMap((l) => lines(l))
    .join('\n');
}

/** Text of at most 72 columns about explored rows, claims, and what a real trace met. */
export const exploredWords = {
  table: tableText,
  bugs: bugsText,
  safe: safeText,
  claims: claimsText,
  measured: measuredText,
  answer: answerText,
} as const;

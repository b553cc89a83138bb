// What tables of costs say, in sentences made from their figures.
import type { RunCosts } from '../analyses/run-costs.js';
import { WIDTH, wrap } from '../export/ascii.js';

/** A run under the name it goes by; of a sweep, also where it stands on the axis. */
export type NamedCosts = RunCosts & { readonly run: string };
export type SweptRun = NamedCosts & { readonly at: number };

/** Whole from 100 on, else three digits. */
const short = (v: number): string => String(v >= 100 ? Math.round(v) : Number(v.toPrecision(3)));

const wrapped = (text: string): string => wrap(text, WIDTH).join('\n');

const listOf = (rows: readonly NamedCosts[], say: (r: NamedCosts) => string): string =>
  rows.map(say).join(', ');

/** The conclusion of a table of runs: who slept, who lost, who left frees bare, and how fast each was against the fastest. */
export function costWords(rows: readonly NamedCosts[]): string {
  const slept = rows.filter((r) => (r.slept ?? 0) > 0);
  const never = rows.filter((r) => r.slept === 0);
  const unknown = rows.filter((r) => r.slept === null);
  const lost = rows.filter((r) => (r.lost_huge ?? 0) > 0);
  const kept = rows.filter((r) => r.lost_huge === 0);
  const untold = rows.filter((r) => r.lost_huge === null);
  const bare = rows.filter((r) => (r.bare ?? 0) > 0);
  const fastest = Math.max(...rows.map((r) => r.calls_per_s ?? 0));
  const parts = [
    slept.length > 0
      ? `Slept in vmalloc: ${listOf(slept, (r) => `${r.run} (${r.slept} calls, half of them ${short(r.p50_us!)} us or more, at most ${short(r.max_us!)})`)}.`
      : '',
    never.length > 0 ? `Never slept: ${listOf(never, (r) => r.run)}.` : '',
    unknown.length > 0 ? `Cannot tell who slept: ${listOf(unknown, (r) => r.run)}.` : '',
    lost.length > 0
      ? `Lost huge mappings: ${listOf(lost, (r) => `${r.run} (${r.lost_huge}, ${short(r.lost_percent!)} %)`)}.`
      : '',
    kept.length > 0 ? `Lost none: ${listOf(kept, (r) => r.run)}.` : '',
    untold.length > 0 ? `Cannot tell what was lost: ${listOf(untold, (r) => r.run)}.` : '',
    bare.length > 0
      ? `Freed tables during a walk with no lock held: ${listOf(bare, (r) => `${r.run} (${r.bare} of ${r.frees})`)}.`
      : '',
    fastest > 0
      ? `Calls a second, against the fastest: ${listOf(
          rows.filter((r) => r.calls_per_s !== null),
          (r) => `${r.run} ${short((100 * r.calls_per_s!) / fastest)} %`,
        )}.`
      : '',
  ];
  return wrapped(parts.filter((p) => p !== '').join(' '));
}

const change = (a: number | null, b: number | null, unit: string): string =>
  `${short(a ?? 0)} to ${short(b ?? 0)}${unit}`;

/** The conclusion of a sweep: what of each scheme changed from the begin of the axis to its end. */
export function sweepWords(axis: string, rows: readonly SweptRun[]): string {
  const ats = [...new Set(rows.map((r) => r.at))].sort((a, b) => a - b);
  const [from, to] = [ats[0]!, ats[ats.length - 1]!];
  const of = (run: string, at: number) => rows.find((r) => r.run === run && r.at === at);
  const said = [...new Set(rows.map((r) => r.run))].flatMap((run) => {
    const [a, b] = [of(run, from), of(run, to)];
    if (!a || !b) return [];
    const parts = [
      (a.max_us ?? b.max_us) === null ? '' : `longest sleep ${change(a.max_us, b.max_us, ' us')}`,
      (a.lost_huge ?? 0) + (b.lost_huge ?? 0) === 0 ? '' : `lost ${change(a.lost_percent, b.lost_percent, ' %')}`,
      `calls a second ${change(a.calls_per_s, b.calls_per_s, '')}`,
    ];
    return [`${run}: ${parts.filter((p) => p !== '').join(', ')}.`];
  }); // biome-ignore format: a table
  return wrapped(`From ${from} to ${to} ${axis}: ${said.join(' ')}`);
}

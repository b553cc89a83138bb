import { figure, WIDTH, wrap } from '../ascii.js';
import type { Row } from '../spec.js';
import type { Block } from '../text.js';

const BAR = 44;
const units = ['', 'K', 'M', 'G', 'T', 'P'];

/** 4096 as 4K: what bpftrace writes for bounds that are whole multiples of 1024. */
function bound(value: number): string {
  let [v, unit] = [value, 0];
  while (v !== 0 && v % 1024 === 0 && unit < units.length - 1) {
    v /= 1024;
    unit++;
  }
  return `${figure(v)}${units[unit]}`;
}

function interval(lo: number, hi: number): string {
  if (hi === lo + 1 && lo >= 0 && lo <= 1) return `[${lo}]`;
  const left = Number.isFinite(lo) ? `[${bound(lo)}` : '(...';
  return `${left}, ${Number.isFinite(hi) ? bound(hi) : '...'})`;
}

interface Bucket {
  readonly lo: number;
  readonly hi: number;
  readonly count: number;
}

const none = (v: unknown, otherwise: number): number =>
  v === null || v === undefined ? otherwise : Number(v);

function buckets(rows: readonly Row[]): Bucket[] {
  const all = rows.map((r, i) => {
    const lo = none(r['lo'], Number.NEGATIVE_INFINITY);
    const b = { lo, hi: none(r['hi'], Number.POSITIVE_INFINITY), count: Number(r['count']) };
    if (!(b.lo < b.hi) || !(b.count >= 0))
      throw new Error(
        `histogram row ${i + 1}: wants lo < hi and count >= 0, got ${JSON.stringify(r)}`,
      );
    return b;
  });
  return all.sort((a, b) => a.lo - b.lo);
}

/** Empty powers of two between two buckets, so that distance on the page is distance in value. */
function withGaps(found: readonly Bucket[]): Bucket[] {
  const out: Bucket[] = [];
  for (const b of found) {
    for (let at = out.at(-1)?.hi ?? b.lo; at < b.lo && Number.isInteger(Math.log2(at)); ) {
      const hi = Math.min(at * 2, b.lo);
      out.push({ lo: at, hi, count: 0 });
      at = hi;
    }
    out.push(b);
  }
  return out;
}

/** Power-of-two buckets as bpftrace draws them, the bar 44 wide: rows lo, hi, count. */
export function histogram({ view, utf8 }: Block): string[] {
  const all = withGaps(buckets(view.rows));
  if (all.length === 0) return ['(nothing was counted)'];
  const labels = all.map((b) => interval(b.lo, b.hi));
  const counts = all.map((b) => figure(b.count));
  const wide = Math.max(...counts.map((c) => c.length), 8);
  const left = Math.max(...labels.map((l) => l.length), WIDTH - BAR - 4 - wide);
  const bar = Math.min(BAR, WIDTH - 4 - wide - left);
  const most = Math.max(...all.map((b) => b.count), 1);
  const heading = `${'bucket'.padEnd(left)} ${'count'.padStart(wide)}`;
  const lines = all.map((b, i) => {
    const length = Math.floor((b.count * bar) / most);
    const drawn = (utf8 ? '\u2588' : '@').repeat(length).padEnd(bar);
    return `${(labels[i] as string).padEnd(left)} ${(counts[i] as string).padStart(wide)} |${drawn}|`;
  });
  const total = figure(all.reduce((sum, b) => sum + b.count, 0));
  return [
    heading,
    ...lines,
    ...wrap(
      `total ${total}${labels.some((l) => /\d[KMGTP]/.test(l)) ? '; K is 1024' : ''}`,
      WIDTH - 1,
    ),
  ];
}

import { scaleLinear, scaleLog } from 'd3-scale';
import { clean, figure, fit, isNumber, name, WIDTH, wrap } from '../ascii.js';
import type { Channel, Row } from '../spec.js';
import type { Block } from '../text.js';

const ROWS = 11;
const marks = ['*', 'o', '+', 'x', '#', '%', '&', '='];

interface Line {
  readonly label: string;
  readonly points: readonly (readonly [x: number, y: number])[];
}

interface Axis {
  /** 0..1 for a value. */
  readonly at: (value: number) => number;
  /** The value for 0..1. */
  readonly value: (share: number) => number;
  readonly low: number;
  readonly high: number;
}

function lines({ view, utf8 }: Block, x: Channel, y: Channel): Line[] {
  const by = new Map<string, [number, number][]>();
  for (const r of view.rows) {
    const key = view.group ? name(r[view.group.field], utf8) : '';
    const [px, py] = [Number(r[x.field]), Number(r[y.field])];
    if (r[x.field] == null || r[y.field] == null || !Number.isFinite(px) || !Number.isFinite(py))
      continue;
    if (!by.has(key)) by.set(key, []);
    by.get(key)?.push([px, py]);
  }
  return [...by].map(([label, points]) => ({ label, points: points.sort((a, b) => a[0] - b[0]) }));
}

/** The scale of an axis over `values`; logarithmic only where every value is above 0. */
function axis(values: readonly number[], log: boolean, nice: boolean): Axis {
  let low = values.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  let high = values.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  if (low === high)
    [low, high] = low > 0 ? [log ? low / 2 : 0, low * 2] : [low * 2, low < 0 ? 0 : 1];
  const scale = (log && low > 0 ? scaleLog() : scaleLinear()).domain([low, high]);
  const [from = low, to = high] = (nice ? scale.nice(4) : scale).domain();
  const at = scale.range([0, 1]);
  const value = (s: number) => (s === 0 ? from : s === 1 ? to : at.invert(s));
  return { at: (v) => at(v), value, low: from, high: to };
}

const column = (a: Axis, v: number, size: number): number =>
  Math.min(size - 1, Math.max(0, Math.round(a.at(v) * (size - 1))));

/** Marks in a grid of ROWS lines; with a `step` each point is a bar of that width, down to the axis. */
function grid(all: readonly Line[], xs: Axis, ys: Axis, size: number, step: number): string[] {
  const cells = Array.from({ length: ROWS }, () => new Array<string>(size).fill(' '));
  const ground = Math.max(0, ys.low);
  const row = (v: number): number => ROWS - 1 - column(ys, v, ROWS);
  all.forEach((line, i) => {
    const mark = marks[i % marks.length] as string;
    for (const [px, py] of line.points) {
      if (step > 0 && py === ground) continue;
      const first = step > 0 ? Math.floor(xs.at(px) * size) : column(xs, px, size);
      const last =
        step > 0 ? Math.max(first, Math.ceil(xs.at(px + step) * size - 1e-6) - 1) : first;
      const bottom = step > 0 && py > ground ? row(ground) : row(py);
      for (let r = row(py); r <= bottom; r++)
        for (let c = first; c <= Math.min(last, size - 1); c++) {
          const line = cells[r] as string[];
          line[c] = line[c] === ' ' || line[c] === mark ? mark : '?';
        }
    }
  });
  return cells.map((r) => r.join(''));
}

/** Width of the bars of a bar chart over x: the least distance of two; 0 for other charts. */
function barWidth({ view }: Block, all: readonly Line[], log: boolean): number {
  if (all.length !== 1 || log || !['bar', 'area'].includes(view.mark)) return 0;
  const xs = (all[0] as Line).points.map((p) => p[0]);
  const gaps = xs.slice(1).map((x, i) => x - (xs[i] as number));
  return gaps.filter((g) => g > 0).reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
}

/** The x axis: line, end labels, title between them. */
function footer(xs: Axis, title: string, left: number, size: number): string[] {
  const [from, to] = [figure(xs.low, 5), figure(xs.high, 5)];
  const middle = fit(title, Math.max(8, size - from.length - to.length - 4));
  const gap = Math.max(2, size - from.length - to.length - middle.length);
  const before = Math.floor(gap / 2);
  return [
    `${' '.repeat(left)} +${'-'.repeat(size)}`,
    `${' '.repeat(left + 2)}${from}${' '.repeat(before)}${middle}${' '.repeat(gap - before)}${to}`,
  ];
}

function draw(
  block: Block,
  x: Channel,
  y: Channel,
  all: readonly Line[],
  share: boolean,
): string[] {
  const points = all.flatMap((l) => l.points);
  const step = barWidth(block, all, x.log || y.log);
  const ends = points.map((p) => (Number.isFinite(step) ? p[0] + step : p[0]));
  const xs = axis([...points.map((p) => p[0]), ...ends], x.log, false);
  const ys = share
    ? axis([0, 1], false, false)
    : axis([...(y.log ? [] : [0]), ...points.map((p) => p[1])], y.log, true);
  const label = (s: number) => (share ? `${figure(s * 100)}%` : figure(ys.value(s), 4));
  const labels = new Map([
    [0, label(1)],
    [(ROWS - 1) / 2, label(0.5)],
    [ROWS - 1, label(0)],
  ]);
  const left = Math.max(...[...labels.values()].map((t) => t.length));
  const size = WIDTH - left - 2;
  const body = grid(all, xs, ys, size, Number.isFinite(step) ? step : 0).map(
    (r, i) => `${(labels.get(i) ?? '').padStart(left)} |${r}`,
  );
  return [
    fit(clean(y.title, block.utf8), WIDTH - 1),
    ...body,
    ...footer(
      xs,
      `${clean(x.title, block.utf8)}${x.log && !/\blog\b/.test(x.title) ? ', log scale' : ''}`,
      left,
      size,
    ),
  ];
}

function channels({ view }: Block): { x: Channel; y: Channel } {
  if (!view.x || !view.y) throw new Error('a plot needs an x and a y field');
  return { x: view.x, y: view.y };
}

const legend = (all: readonly Line[], i: number, rest: string): string[] => {
  const label = (all[i] as Line).label;
  return wrap(
    `${marks[i % marks.length]} ${label === '' ? '' : `${fit(label, 30)}: `}${rest}`,
    WIDTH - 1,
    '    ',
  );
};

/** An ASCII plot over x: rows x, y, and what colour tells apart; least, mean and most below. */
export function series(block: Block): string[] {
  const { x, y } = channels(block);
  const all = lines(block, x, y);
  if (all.length === 0) return ['(no points)'];
  const key = all.flatMap((l, i) => {
    const ys = l.points.map((p) => p[1]);
    const sum = ys.reduce((a, b) => a + b, 0);
    const [least, most] = [
      ys.reduce((a, b) => Math.min(a, b)),
      ys.reduce((a, b) => Math.max(a, b)),
    ];
    const parts = `n ${ys.length}, min ${figure(least)}, mean ${figure(sum / ys.length, 4)}, max ${figure(most)}`;
    return legend(all, i, `${parts}, sum ${figure(sum)}`);
  });
  return [
    ...draw(block, x, y, all, false),
    ...key,
    ...(all.length > 1 ? ['? where several meet'] : []),
  ];
}

/** The least x whose share reaches `p`. */
const quantile = (l: Line, p: number): number =>
  (l.points.find((q) => q[1] >= p - 1e-12) ?? l.points.at(-1) ?? [Number.NaN])[0];

/** A cumulative distribution: rows x, share (0..1), and what colour tells apart. */
export function cdf(block: Block): string[] {
  const { x, y } = channels(block);
  const bad = block.view.rows.find(
    (r: Row) => isNumber(r[y.field]) && !(Number(r[y.field]) >= 0 && Number(r[y.field]) <= 1),
  );
  if (bad)
    throw new Error(`a cdf needs shares from 0 to 1 in '${y.field}', got ${figure(bad[y.field])}`);
  const all = lines(block, x, y);
  if (all.length === 0) return ['(no points)'];
  const key = all.flatMap((l, i) =>
    legend(
      all,
      i,
      [0.5, 0.9, 0.99, 1].map((p) => `p${p * 100} ${figure(quantile(l, p))}`).join(', '),
    ),
  );
  return [
    ...draw(block, x, y, all, true),
    ...key,
    ...(all.length > 1 ? ['? where several meet'] : []),
  ];
}

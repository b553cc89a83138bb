/** A place where events are missing, in seconds since the trace began. */
export interface GapMark {
  /** null: the trace does not say which. */
  readonly cpu: number | null;
  /** File or instance whose CPU it is, where there are several. */
  readonly source?: string;
  /** How many are missing; null: nobody knows. */
  readonly lost: number | null;
  /** The CPU's last event before it; null: the gap reaches back to the trace's begin. */
  readonly from_s: number | null;
  /** The CPU's next event; null: it reaches to the trace's end. */
  readonly to_s: number | null;
}

const cpuOf = ({ cpu, source }: GapMark): string =>
  `${cpu === null ? 'a CPU not stated' : `CPU ${cpu}`}${source === undefined ? '' : ` of ${source}`}`;

/** Short gaps in microseconds, so that their ends differ. */
function whenOf({ from_s: from, to_s: to }: GapMark): string {
  const digits = from !== null && to !== null && to - from < 0.01 ? 6 : 3;
  const at = (s: number): string => s.toFixed(digits);
  if (from === null) return to === null ? 'in the whole trace' : `before ${at(to)} s`;
  return to === null ? `from ${at(from)} s on` : `from ${at(from)} to ${at(to)} s`;
}

const countOf = ({ lost }: GapMark): string =>
  lost === null ? 'unknown how many' : `${lost} lost`;

const named = 4;

/** What is missing, a line a gap; the first few gaps, and how many more there are. */
export function gapLines(about: {
  readonly gaps?: readonly GapMark[];
  readonly lost_somewhere?: number;
}): string[] {
  const { gaps = [], lost_somewhere: more = 0 } = about;
  const list = gaps
    .slice(0, named)
    .map((g) => `events missing on ${cpuOf(g)} ${whenOf(g)} (${countOf(g)})`);
  if (gaps.length > named) list.push(`events missing at ${gaps.length - named} more places`);
  if (more > 0)
    list.push(`${more} events${gaps.length > 0 ? ' more' : ''} lost, the trace does not say where`);
  return list;
}

const rows = 3;
const rowHeight = 14;
const firstRow = 22;

/** Labels of the bands: those that stand too near to each other are told together. */
function labels(bands: readonly { from_s: number; to_s: number; gap: GapMark }[], span_s: number) {
  const groups: (typeof bands)[number][][] = [];
  for (const b of bands) {
    const last = groups.at(-1);
    if (last && b.from_s - last[0]!.from_s < span_s / (rows * 4)) last.push(b);
    else groups.push([b]);
  }
  return groups.map((group, i) => {
    const { from_s, gap } = group[0]!;
    const one = `${gap.cpu === null ? '' : `CPU ${gap.cpu}: `}${gap.lost ?? 'some'} lost`;
    const text = group.length === 1 ? one : `${group.length} gaps`;
    const side = from_s > span_s * 0.75 ? 'right' : 'left';
    return { from_s, text, side, y: firstRow + (i % rows) * rowHeight };
  });
}

/**
 * Layers of a chart over time (x in seconds since the trace began, up to `end_s`): a light band below
 * the marks for each gap, and a labelled line above them.
 */
export function gapLayers(gaps: readonly GapMark[] | undefined, end_s: number) {
  if (gaps === undefined || gaps.length === 0) return { below: [], above: [] };
  const bands = gaps
    .map((gap) => ({
      from_s: gap.from_s ?? 0,
      to_s: gap.to_s ?? Math.max(end_s, gap.from_s ?? 0),
      gap,
    }))
    .sort((a, b) => a.from_s - b.from_s);
  const data = { values: bands.map(({ from_s, to_s }) => ({ from_s, to_s })) };
  const x = { field: 'from_s', type: 'quantitative' };
  const side = (of: string) => ({
    align: { expr: 'datum.side' },
    dx: { expr: `datum.side === 'left' ? ${of} : -${of}` },
  });
  const label = (look: object) => ({
    data: { values: labels(bands, end_s) },
    mark: { type: 'text', ...side('4'), baseline: 'middle', ...look },
    encoding: {
      x,
      y: { field: 'y', type: 'quantitative', scale: null, axis: null },
      text: { field: 'text' },
    },
  });
  return {
    below: [
      { data, mark: { type: 'rect', color: '#e6e6e6' }, encoding: { x, x2: { field: 'to_s' } } },
    ],
    above: [
      { data, mark: { type: 'rule', color: '#555555', strokeDash: [1, 2] }, encoding: { x } },
      label({ stroke: '#ffffff', strokeWidth: 4, strokeJoin: 'round' }),
      label({}),
    ],
  };
}

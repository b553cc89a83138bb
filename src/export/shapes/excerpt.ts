import { clean, figure, fit, name, WIDTH, wrap } from '../ascii.js';
import type { Row } from '../spec.js';
import type { Block } from '../text.js';

/** Nanoseconds as ftrace prints them: seconds with six places, nine where the last three count. */
function seconds(value: unknown, places: number): string {
  if (typeof value !== 'number' && typeof value !== 'bigint') return '-';
  const ns = BigInt(typeof value === 'number' ? Math.round(value) : value);
  const size = ns < 0n ? -ns : ns;
  const fraction = String(size % 1_000_000_000n)
    .padStart(9, '0')
    .slice(0, places);
  return `${ns < 0n ? '-' : ''}${size / 1_000_000_000n}.${fraction}`;
}

const tail = (v: unknown): bigint =>
  typeof v === 'bigint' ? v % 1000n : BigInt(Math.round(Number(v ?? 0))) % 1000n;

/** Trace lines with notes: rows ts_ns, cpu, task, text, [note], [left_out: lines skipped before]. */
export function excerpt({ view, utf8 }: Block): string[] {
  if (view.rows.length === 0) return ['(no events)'];
  const places = view.rows.some((r) => tail(r['ts_ns']) !== 0n) ? 9 : 6;
  const stamps = view.rows.map((r) => fit(seconds(r['ts_ns'], places), 24));
  const cpus = view.rows.map((r) => (r['cpu'] == null ? '-' : fit(figure(r['cpu']), 6)));
  const tasks = view.rows.map((r) => fit(name(r['task'], utf8), 16));
  const [a, b, c] = [stamps, cpus, tasks].map((s) => Math.max(...s.map((t) => t.length))) as [
    number,
    number,
    number,
  ];
  const top = `${'s'.padStart(a)} ${'cpu'.padStart(Math.max(3, b))} ${'task'.padEnd(c)} event`;
  const line = (r: Row, i: number): string[] => {
    const left = `${(stamps[i] as string).padStart(a)} ${(cpus[i] as string).padStart(Math.max(3, b))} ${(tasks[i] as string).padEnd(c)} `;
    const indent = ' '.repeat(Math.min(left.length + 2, 40));
    const skipped = Number(r['left_out'] ?? 0);
    return [
      ...(skipped > 0 ? [`${' '.repeat(a)} (${figure(skipped)} events left out)`] : []),
      ...hang(left, clean(String(r['text'] ?? ''), utf8), indent),
      ...(r['note'] == null
        ? []
        : hang(indent, `^ ${clean(String(r['note']), utf8)}`, `${indent}  `)),
    ];
  };
  return [top, ...view.rows.flatMap(line)];
}

/** `text` after `left`, its following lines indented. */
function hang(left: string, text: string, indent: string): string[] {
  const [first = '', ...rest] = wrap(text, WIDTH - left.length);
  const more = rest.length > 0 ? wrap(rest.join(' '), WIDTH - indent.length) : [];
  return [left + first, ...more.map((l) => indent + l)];
}

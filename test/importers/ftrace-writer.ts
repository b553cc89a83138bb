// Writes rows as the kernel and trace-cmd print them, and draws rows to write.
import fc from 'fast-check';
import { columns } from '../../src/events/schema.js';
import { type ShapeField, shapes } from '../../src/events/shapes.js';

/** A row without its nulls; `seq` is the place in the list. */
export type Row = Record<string, unknown> & { ts_ns: bigint };

/** How lines are written. */
export interface Style {
  /** Flag columns; 0: none. */
  readonly flags: 0 | 4 | 5 | 6 | 7;
  readonly tgid: boolean;
  /** `comm` cut to 8, CPU and flags in one, microseconds since the start. */
  readonly latency: boolean;
  /** trace-cmd's: names padded, stamps perhaps with nanoseconds. */
  readonly report: boolean;
  readonly nanoseconds: boolean;
  /** Stands before every line. */
  readonly quote: string;
  readonly newline: string;
}

export const styles: fc.Arbitrary<Style> = fc
  .record({
    flags: fc.constantFrom(0, 4, 5, 6, 7),
    tgid: fc.boolean(),
    latency: fc.boolean(),
    report: fc.boolean(),
    nanoseconds: fc.boolean(),
    quote: fc.constantFrom('', '', '> ', '> > ', '[   12.345678] '),
    newline: fc.constantFrom('\n', '\r\n'),
  })
  .map((s) => (s.latency ? { ...s, flags: s.flags || 4, tgid: false } : s) as Style);

const hex = (v: unknown): string => BigInt(v as bigint).toString(16);

/** One field of a known event. */
function fieldText({ column, kind }: ShapeField, row: Row): string {
  const v = row[column];
  if (kind === 'x') return hex(v);
  if (kind === 'p') return hex(v).padStart(16, '0');
  if (kind === '!') return v ? '0' : '1';
  if (kind === 'f') return v ? '1' : '0';
  if (kind === 'w') return String(v === 'write');
  return String(v);
}

function payload(row: Row): string {
  if (row['detail'] !== undefined) return String(row['detail']);
  const shape = shapes[String(row['event'])]!;
  return shape.fields.map((f) => f.literal + fieldText(f, row)).join('') + shape.tail;
}

const digits = (v: unknown, n: number): string => String(v).padStart(n, '0');

function stamp(ns: bigint, { latency, nanoseconds }: Style): string {
  if (latency) return `${String(ns / 1000n).padStart(5)}us${ns % 7n === 0n ? '+' : ' '}:`;
  const fraction = nanoseconds ? digits(ns % 10n ** 9n, 9) : digits((ns / 1000n) % 10n ** 6n, 6);
  return `${String(ns / 10n ** 9n).padStart(5)}.${fraction}:`;
}

/** One line; `row` has what the style keeps. */
export function lineOf(row: Row, style: Style): string {
  const task = String(row['task']);
  const width = style.latency ? 8 : 16;
  const who = `${task.padStart(width)}-${String(row['pid']).padEnd(style.report ? 5 : 7)}`;
  const tgid = row['tgid'] === undefined ? '-------' : String(row['tgid']).padStart(7);
  const flags = row['flags'] ?? '';
  const cpu = style.latency
    ? `${String(row['cpu']).padStart(3)}${flags}`
    : `[${digits(row['cpu'], 3)}]`;
  const head = [
    who,
    ...(style.tgid ? [`(${tgid})`] : []),
    cpu,
    ...(flags && !style.latency ? [flags] : []),
  ];
  const name = style.report ? `${row['event']}:`.padEnd(21) : `${row['event']}:`;
  return `${style.quote}${head.join(' ')} ${stamp(row.ts_ns, style)} ${name} ${payload(row)}`;
}

const word = (units: string, min: number, max: number) =>
  fc.string({ unit: fc.constantFrom(...units), minLength: min, maxLength: max });
const wide = fc.bigInt({ min: 0n, max: 2n ** 64n - 1n });
const place = word('abcdefghij_.+0x/ <-', 1, 24);

function cellOf({ column, kind }: ShapeField): fc.Arbitrary<unknown> {
  if (kind === '!' || kind === 'f' || kind === 't') return fc.boolean();
  if (kind === 'w') return fc.constantFrom('read', 'write');
  if (kind === 's') return column === 'at' ? place : word('READ|WRITE', 1, 12);
  if (kind === 'i') return fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n });
  const type = columns[column].kind;
  if (type === 'f64') return fc.maxSafeNat();
  return type === 'u32' ? fc.nat(0x7fffffff) : wide;
}

const known = fc.constantFrom(...Object.entries(shapes)).chain(([event, { fields }]) =>
  fc.record(Object.fromEntries(fields.map((f) => [f.column, cellOf(f)]))).map((cells) => ({
    ...cells,
    event,
    ...('va' in cells ? { va_page: Number((cells['va'] as bigint) >> 12n) } : {}),
  })),
);

const printable = String.fromCharCode(...Array.from({ length: 95 }, (_, i) => 32 + i));
const other = fc.record({
  event: word('abcxyz_19', 1, 20).filter((n) => /^[a-z_]/.test(n) && !Object.hasOwn(shapes, n)),
  detail: word(printable, 1, 60).filter((t) => /^[^\s<(]/.test(t)),
});

const comms = word(printable, 1, 15).filter((t) => /^[^\s>#]/.test(t));

/** Rows as a trace of this style keeps them, in no order of time. */
export const rowsFor = (style: Style): fc.Arbitrary<Row[]> => {
  const cut = style.latency ? 8 : 15;
  const unit = style.nanoseconds && !style.latency ? 1n : 1000n;
  const row = fc.record({
    ts_ns: fc.bigInt({ min: 0n, max: style.latency ? 4_000_000n : 2n ** 63n / 1000n - 1n }),
    cpu: fc.nat(4095),
    pid: fc.nat(0x7fffffff),
    tgid: fc.option(fc.nat(0x7fffffff)),
    task: comms,
    flags: word('dDbBnNpXZhHsz.0123456789abcdef', style.flags, style.flags),
    rest: fc.oneof(known, other),
  });
  return fc.array(row, { maxLength: 12 }).map((list) =>
    list.map(({ ts_ns, tgid, task, flags, rest, ...ids }, seq) => ({
      seq,
      ts_ns: style.nanoseconds && !style.latency ? ts_ns : ts_ns * unit,
      ...ids,
      task: task.slice(0, cut),
      ...(style.flags === 0 ? {} : { flags: style.latency ? `d${flags.slice(1)}` : flags }),
      ...(style.tgid && tgid !== null ? { tgid } : {}),
      ...rest,
    })),
  );
};

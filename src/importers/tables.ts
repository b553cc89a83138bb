import { DataType, type Schema, type Vector } from 'apache-arrow';
import { asInteger, putValue } from '../events/copy.js';
import { isNested } from '../events/ipc-check.js';
import { readIpc } from '../events/ipc-read.js';
import { addRow, type Log } from '../events/log.js';
import { addUnparsed, keptKeys, metaValue, type TraceMeta } from '../events/meta.js';
import { type ColumnName, columnNames, columns } from '../events/schema.js';
import { CsvReader, delimiterOf, headingOf } from './csv-reader.js';
import { FormatError, type Importer } from './importer.js';
import { unpackBlock } from './unpack.js';

/** Puts rows of a table with ptlab's column names into the log. */
export interface Rows {
  /** Row from a value by column; `place` says where it stands if it does not fit. */
  add(get: (column: number) => unknown, place: { line?: number; offset: number }): void;
  finish(): void;
}

const isText = (name: ColumnName): boolean => ['dict', 'text'].includes(columns[name].kind);

const needed = ['ts_ns', 'event'] as const;

/** Bytes of a table are text. */
const plain = (v: unknown): unknown =>
  v instanceof Uint8Array ? Buffer.from(v).toString('utf8') : v;

const isStamp = (t: bigint | null): t is bigint => t !== null && t === BigInt.asIntN(64, t);

/**
 * @throws FormatError if a needed column is missing, or there are two of one name.
 */
export function rowsInto(log: Log, meta: TraceMeta, names: readonly string[]): Rows {
  for (const n of needed) {
    if (names.includes(n)) continue;
    throw new FormatError(
      `a table without a column '${n}'; it has ${names.slice(0, 40).join(', ')}. ` +
        'A trace needs ts_ns (nanoseconds) and event; see ptlab docs schema for the others',
    );
  }
  const known = new Set<string>(columnNames);
  const twice = names.find((n, i) => known.has(n) && names.indexOf(n) !== i);
  if (twice !== undefined)
    throw new FormatError(`a table with two columns '${twice}'; which is meant?`);
  const unknown = names.filter((n) => !known.has(n));
  const rest = names
    .map((name, index) => ({ name: name as ColumnName, index }))
    .filter(({ name }) => known.has(name) && !['seq', ...needed].includes(name));
  const [ts, event] = needed.map((n) => names.indexOf(n)) as [number, number];
  const misfits = new Map<string, number>();
  let rounded = 0;
  return {
    add(get, place) {
      const said = get(ts);
      const stamp = said === null || said === undefined ? null : asInteger(said, true);
      const name = plain(get(event));
      if (!isStamp(stamp) || name === null || name === undefined || name === '') {
        addUnparsed(meta, { ...place, text: `ts_ns ${String(said ?? '')}, event ${String(name)}` });
        return;
      }
      if (asInteger(said) === null) rounded++;
      const t = BigInt.asUintN(64, stamp);
      const id = log.dicts.event.intern(String(name));
      addRow(log, Number(t >> 32n), Number(t & 0xffffffffn), id);
      for (const c of rest) {
        const v = plain(get(c.index));
        if (v === null || v === undefined || (v === '' && !isText(c.name))) continue;
        if (!putValue(log, c.name, v)) misfits.set(c.name, (misfits.get(c.name) ?? 0) + 1);
      }
    },
    finish() {
      if (unknown.length > 0) {
        meta.notes.push(
          `columns that are none of a trace were left out: ${unknown.slice(0, 40).join(', ')}`,
        );
      }
      if (rounded > 0)
        meta.notes.push(
          `ts_ns: ${rounded} stamps went through a double, which keeps those to 256 ns or worse`,
        );
      for (const [name, n] of misfits)
        meta.notes.push(`${name}: ${n} values do not fit the column, or lost digits in a double`);
    },
  };
}

export const startsWith = (head: Uint8Array, text: string): boolean =>
  Buffer.from(head.subarray(0, text.length)).toString('latin1') === text;

/** What a table of ours says of its trace; the source stays the file at hand. */
export function takeMeta(meta: TraceMeta, get: (key: string) => string | null | undefined): void {
  const damaged: string[] = [];
  for (const key of keptKeys) {
    try {
      const text = get(key);
      if (text) Object.assign(meta, { [key]: metaValue(key, text) });
    } catch {
      damaged.push(`its metadata '${key}' is damaged`);
    }
  }
  meta.notes.push(...damaged); // its own notes have taken the place of those before
}

/** Gaps name rows: where a tool took some out, they would name others. `said` is what it had. */
export function checkPlaces(meta: TraceMeta, said: string | null | undefined, rows: number): void {
  if (meta.gaps.length === 0 || !said || Number(said) === rows) return;
  meta.notes.push(
    `its ${meta.gaps.length} gaps are left out: they are places among ${said} rows, of which it has ${rows}`,
  );
  meta.gaps = [];
}

/** CSV with ptlab's column names, as `ptlab import --to csv` and pandas write it. */
export const csv: Importer = {
  about:
    "CSV with ptlab's column names (ts_ns, event, ...), between commas, semicolons, tabs or bars",
  sniff(head) {
    const line = headingOf(Buffer.from(head.subarray(0, 4096)).toString('utf8'));
    const names = line.split(delimiterOf(line)).map((n) => n.replaceAll('"', '').trim());
    return names.length > 1 && needed.some((n) => names.includes(n));
  },
  async read(input, log, meta) {
    let rows: Rows | null = null;
    let width = 0;
    let uneven = 0;
    const reader = new CsvReader((cells, line, offset) => {
      if (rows === null) {
        width = cells.length;
        rows = rowsInto(
          log,
          meta,
          cells.map((c) => (c ?? '').trim()),
        );
        return;
      }
      if (cells.length !== width) uneven++;
      rows.add((i) => cells[i], { line, offset });
    });
    for await (const chunk of input.chunks()) reader.push(chunk);
    reader.end();
    (rows as Rows | null)?.finish();
    if (uneven > 0)
      meta.notes.push(
        `${uneven} records have more or fewer cells than the heading's ${width}; what is beyond was left out`,
      );
    meta.notes.push(...reader.notes);
  },
};

/** Nanoseconds in a unit of Arrow's: seconds, milliseconds, microseconds, nanoseconds. */
const unitNs = [1_000_000_000n, 1_000_000n, 1000n, 1n];

/** Gives a value of a batch by row; points in time as exact nanoseconds, whatever their unit. */
function getter(vector: Vector, name: string): (row: number) => unknown {
  const { type } = vector;
  if (name === 'ts_ns' && (DataType.isTimestamp(type) || DataType.isDuration(type))) {
    const data = vector.data[0]!;
    const values = data.values as BigInt64Array;
    const unit = unitNs[type.unit]!;
    return (i) => (data.getValid(i) ? values[i]! * unit : null);
  }
  if (name === 'ts_ns' && (DataType.isDate(type) || DataType.isTime(type)))
    throw new FormatError(
      `column 'ts_ns' is ${type}; a stamp is a number of nanoseconds or a point in time`,
    );
  return (i) => vector.get(i);
}

/** @throws FormatError for a kind of column that cannot be read. */
function checkTypes(schema: Schema): void {
  for (const { name, type } of schema.fields) {
    if (!Object.hasOwn(columns, name)) continue;
    if (isNested(type))
      throw new FormatError(`column '${name}' is ${type}; a trace has plain values there`);
    if (DataType.isDictionary(type) && Number(type.indices.bitWidth) === 64)
      throw new FormatError(
        `column '${name}' is a dictionary with 64-bit indices; write them with 32 bits`,
      );
  }
}

function readArrow(bytes: Uint8Array, log: Log, meta: TraceMeta): void {
  const { batches, schema, cut } = readIpc(bytes, unpackBlock);
  const names = schema.fields.map((f) => f.name);
  checkTypes(schema);
  const rows = rowsInto(log, meta, names);
  if (cut !== undefined && batches.every((b) => b.numRows === 0)) throw new FormatError(cut);
  takeMeta(meta, (key) => schema.metadata.get(key));
  if (cut !== undefined) meta.notes.push(`truncated: ${cut}`);
  for (const batch of batches) {
    const get = names.map((name, k) => getter(batch.getChildAt(k)!, name));
    for (let i = 0; i < batch.numRows; i++) rows.add((c) => get[c]!(i), { offset: 0 });
  }
  rows.finish();
  checkPlaces(meta, schema.metadata.get('seen'), log.total);
}

/** An Arrow file or stream of other tools that has ptlab's column names. */
export const arrow: Importer = {
  about: "Arrow IPC (file, stream, feather) with ptlab's column names",
  sniff: (head) => startsWith(head, 'ARROW1') || startsWith(head, '\xff\xff\xff\xff'),
  async read(input, log, meta) {
    const from = await input.access();
    try {
      readArrow(from.read(0, from.size), log, meta);
    } catch (e) {
      throw e instanceof FormatError
        ? e
        : new FormatError(`damaged Arrow: ${(e as Error).message}`);
    }
  },
};

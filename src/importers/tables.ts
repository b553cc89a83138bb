import { Table } from 'apache-arrow';
import { putValue } from '../events/copy.js';
import { isNested } from '../events/ipc-check.js';
import { readIpc } from '../events/ipc-read.js';
import { addRow, type Log } from '../events/log.js';
import { addUnparsed, keptKeys, metaValue, type TraceMeta } from '../events/meta.js';
import { type ColumnName, columnNames, columns } from '../events/schema.js';
import { CsvReader } from './csv-reader.js';
import { FormatError, type Importer } from './importer.js';

/** Puts rows of a table with ptlab's column names into the log. */
export interface Rows {
  /** Row from a value by column; `place` says where it stands if it does not fit. */
  add(get: (column: number) => unknown, place: { line?: number; offset: number }): void;
  finish(): void;
}

const isText = (name: ColumnName): boolean => ['dict', 'text'].includes(columns[name].kind);

const needed = ['ts_ns', 'event'] as const;

/**
 * @throws FormatError if a needed column is missing.
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
  const unknown = names.filter((n) => !known.has(n));
  const rest = names
    .map((name, index) => ({ name: name as ColumnName, index }))
    .filter(({ name }) => known.has(name) && !['seq', ...needed].includes(name));
  const [ts, event] = needed.map((n) => names.indexOf(n)) as [number, number];
  const misfits = new Map<string, number>();
  return {
    add(get, place) {
      const stamp = String(get(ts) ?? '').trim();
      const name = get(event);
      if (!/^-?\d{1,19}$/.test(stamp) || name === null || name === undefined || name === '') {
        addUnparsed(meta, { ...place, text: `ts_ns ${stamp}, event ${String(name)}` });
        return;
      }
      const t = BigInt.asUintN(64, BigInt(stamp));
      const id = log.dicts.event.intern(String(name));
      addRow(log, Number(t >> 32n), Number(t & 0xffffffffn), id);
      for (const c of rest) {
        const v = get(c.index);
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
      for (const [name, n] of misfits)
        meta.notes.push(`${name}: ${n} values do not fit the column`);
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

/** CSV with ptlab's column names, as `ptlab import --to csv` and pandas write it. */
export const csv: Importer = {
  about: "CSV with ptlab's column names (ts_ns, event, ...)",
  sniff(head) {
    const line = Buffer.from(head.subarray(0, 4096)).toString('utf8').split(/\r?\n/, 1)[0]!;
    const names = line.split(',').map((n) => n.replaceAll('"', '').trim());
    return needed.every((n) => names.includes(n));
  },
  async read(input, log, meta) {
    let rows: Rows | null = null;
    const reader = new CsvReader((cells, line, offset) => {
      if (rows) rows.add((i) => cells[i], { line, offset });
      else
        rows = rowsInto(
          log,
          meta,
          cells.map((c) => (c ?? '').trim()),
        );
    });
    for await (const chunk of input.chunks()) reader.push(chunk);
    reader.end();
    (rows as Rows | null)?.finish();
  },
};

function readArrow(bytes: Uint8Array, log: Log, meta: TraceMeta): void {
  const { batches, schema, cut } = readIpc(bytes);
  if (cut !== undefined) meta.notes.push(`truncated: ${cut}`);
  const table = new Table(schema, batches);
  const names = schema.fields.map((f) => f.name);
  takeMeta(meta, (key) => schema.metadata.get(key));
  for (const { name, type } of schema.fields) {
    if (!(name in columns) || !isNested(type)) continue;
    throw new FormatError(`column '${name}' is ${type}; a trace has plain values there`);
  }
  const rows = rowsInto(log, meta, names);
  const vectors = names.map((n) => table.getChild(n)!);
  for (let i = 0; i < table.numRows; i++) rows.add((c) => vectors[c]!.get(i), { offset: 0 });
  rows.finish();
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

import {
  Bool,
  type DataType,
  Dictionary,
  Field,
  Float64,
  Int32,
  Int64,
  makeData,
  RecordBatch,
  Schema,
  Struct,
  Uint8,
  Uint16,
  Uint32,
  Uint64,
  Utf8,
  Vector,
} from 'apache-arrow';
import type { Dict } from './dict.js';
import type { Batch, Cells, Log } from './log.js';
import { metaToMap, type TraceMeta } from './meta.js';
import {
  type Column,
  type ColumnName,
  columnNames,
  columns,
  type Kind,
  schemaVersion,
} from './schema.js';

const utf8 = new Utf8();

function typeOf(kind: Kind, id: number): DataType {
  switch (kind) {
    case 'dict':
      return new Dictionary(utf8, new Int32(), id);
    case 'text':
      return utf8;
    case 'u8':
      return new Uint8();
    case 'u16':
      return new Uint16();
    case 'u32':
      return new Uint32();
    case 'i32':
      return new Int32();
    case 'i64':
      return new Int64();
    case 'u64':
      return new Uint64();
    case 'f64':
      return new Float64();
    case 'bool':
      return new Bool();
  }
}

const fields = columnNames.map((name, id) => {
  const { kind, unit, meaning, nullable } = columns[name] as Column;
  const about = new Map([
    ['unit', unit],
    ['meaning', meaning],
  ]);
  return new Field(name, typeOf(kind, id), nullable, about);
});

/** Arrow fields by column. */
export const arrowFields = Object.fromEntries(fields.map((f) => [f.name, f])) as Record<
  ColumnName,
  Field
>;

/** The Arrow schema of a trace, with what is known of it as metadata. */
export const arrowSchema = (meta: TraceMeta): Schema =>
  new Schema(fields, metaToMap(meta, schemaVersion));

/**
 * Check that a schema that calls itself ptlab's has every column, of its type.
 * @throws Error naming the column.
 */
export function checkColumns(schema: Schema): void {
  for (const { name, type } of fields) {
    const found = schema.fields.filter((f) => f.name === name);
    if (found.length !== 1)
      throw new Error(`not a ptlab trace as ptlab writes it: ${found.length} columns '${name}'`);
    if (String(found[0]!.type) !== String(type))
      throw new Error(
        `not a ptlab trace as ptlab writes it: '${name}' is ${found[0]!.type}, not ${type}`,
      );
  }
}

/** Values of a dictionary as Arrow data, from `start` on. */
export function textData(values: readonly string[], start = 0) {
  const parts = values.slice(start).map((v) => Buffer.from(v, 'utf8'));
  const offsets = new Int32Array(parts.length + 1);
  for (const [i, p] of parts.entries()) offsets[i + 1] = offsets[i]! + p.length;
  const data = new Uint8Array(Buffer.concat(parts));
  return makeData({ type: utf8, length: parts.length, nullCount: 0, valueOffsets: offsets, data });
}

/** The growing Arrow side of a log's dictionaries: one more chunk where values were added. */
export interface Dictionaries {
  chunks: Map<ColumnName, ReturnType<typeof textData>[]>;
  sizes: Map<ColumnName, number>;
}

export const newDictionaries = (): Dictionaries => ({ chunks: new Map(), sizes: new Map() });

function grown(d: Dictionaries, name: ColumnName, dict: Dict): Vector<Utf8> {
  const chunks = d.chunks.get(name) ?? [textData([])];
  const known = d.sizes.get(name) ?? 0;
  if (dict.values.length > known) chunks.push(textData(dict.values, known));
  d.chunks.set(name, chunks);
  d.sizes.set(name, dict.values.length);
  return new Vector(chunks);
}

function cellsData(
  c: Cells,
  length: number,
  type: DataType,
  nullable: boolean,
  dict?: Vector<Utf8>,
) {
  const nullCount = nullable ? length - c.set : 0;
  const nullBitmap = nullCount > 0 ? c.valid.subarray(0, (length + 7) >> 3) : null;
  const common = { type, length, nullCount, nullBitmap } as const;
  if (c.kind === 'text') {
    const valueOffsets = c.offsets.subarray(0, length + 1);
    return makeData({ ...common, type: utf8, valueOffsets, data: c.bytes.subarray(0, c.used) });
  }
  const words = c.values.subarray(0, c.kind === 'bool' ? (length + 7) >> 3 : undefined);
  if (c.kind === 'i64' || c.kind === 'u64') {
    const View = c.kind === 'i64' ? BigInt64Array : BigUint64Array;
    const data = new View(words.buffer as ArrayBuffer, words.byteOffset, length);
    return makeData({ ...common, data } as never);
  }
  const data = c.kind === 'bool' ? words : words.subarray(0, length);
  return makeData({ ...common, data, ...(dict ? { dictionary: dict } : {}) } as never);
}

/** A batch of the log as an Arrow record batch; arrays are shared, not copied. */
export function toRecordBatch(
  batch: Batch,
  log: Pick<Log, 'dicts'>,
  d: Dictionaries,
  schema: Schema,
): RecordBatch {
  const children = schema.fields.map((f) => {
    const name = f.name as ColumnName;
    const c = batch.cells[name];
    const dict = c.kind === 'dict' ? grown(d, name, log.dicts[name as never]) : undefined;
    return cellsData(c, batch.length, f.type, f.nullable, dict);
  });
  const type = new Struct(schema.fields);
  return new RecordBatch(schema, makeData({ type, length: batch.length, nullCount: 0, children }));
}

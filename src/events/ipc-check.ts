import { DataType, type Field, UnionMode } from 'apache-arrow';
import type { BufferRegion, FieldNode, RecordBatch } from 'apache-arrow/ipc/metadata/message';
import { strideForType } from 'apache-arrow/type';

/** A record batch that is being checked against its schema. */
interface Walk {
  readonly header: RecordBatch;
  readonly body: Uint8Array;
  /** Place of the body in the file. */
  readonly bodyAt: number;
  /** Number of values by id of the dictionary. */
  readonly dictionaries: ReadonlyMap<number, number>;
  node: number;
  buffer: number;
  variadic: number;
}

function nextNode(w: Walk, name: string): FieldNode {
  const node = w.header.nodes[w.node++];
  if (!node) throw new Error(`no length is given for column '${name}'`);
  const { length, nullCount } = node;
  if (length >= 0 && nullCount >= 0 && nullCount <= length && length <= 8 * w.body.length)
    return node;
  throw new Error(
    `column '${name}' has ${length} values and ${nullCount} nulls ` + `in ${w.body.length} bytes`,
  );
}

/** The next buffer, of at least `need` bytes; what goes beyond `most` is padding and cut off. */
function nextBuffer(w: Walk, name: string, need: number, most = need): BufferRegion {
  const region = w.header.buffers[w.buffer++];
  if (!region) throw new Error(`column '${name}' lacks a buffer`);
  const { offset, length } = region;
  if (!(offset >= 0 && length >= 0 && offset % 8 === 0 && offset + length <= w.body.length))
    throw new Error(
      `a buffer of column '${name}' lies outside the body at byte ${w.bodyAt} ` +
        `(${w.body.length} bytes): ${length} bytes at ${offset}`,
    );
  if (length < need)
    throw new Error(
      `a buffer of column '${name}' at byte ${w.bodyAt + offset} has ${length} bytes; ` +
        `its values need ${need}`,
    );
  region.length = Math.min(length, most);
  return region;
}

const bytesOf = (w: Walk, { offset, length }: BufferRegion): Uint8Array =>
  w.body.subarray(offset, offset + length);

/** Offsets of `n` values: they must ascend. Gives the last. */
function lastOffset(w: Walk, name: string, n: number, wide: boolean): number {
  const size = wide ? 8 : 4;
  const region = nextBuffer(w, name, n === 0 ? 0 : (n + 1) * size, (n + 1) * size);
  const bytes = bytesOf(w, region);
  const View = wide ? BigInt64Array : Int32Array;
  const offsets = new View(
    bytes.buffer as ArrayBuffer,
    bytes.byteOffset,
    Math.floor(bytes.length / size),
  );
  let last = offsets[0] ?? 0;
  for (let i = 0; i < offsets.length; i++) {
    const at = offsets[i]!;
    if (at < last || at < 0)
      throw new Error(
        `value ${i} of column '${name}' (byte ${w.bodyAt + region.offset + i * size}) ` +
          `starts at ${at}, behind which it should end`,
      );
    last = at;
  }
  return Number(last);
}

/** Every index that counts must name a value of its dictionary. */
function checkIndices(
  w: Walk,
  name: string,
  type: DataType,
  data: BufferRegion,
  n: number,
  valid: Uint8Array | null,
): void {
  const { id, indices } = type as unknown as { id: number; indices: DataType };
  const size = w.dictionaries.get(id) ?? 0;
  const bytes = bytesOf(w, data);
  const View = indices.ArrayType as Int32ArrayConstructor;
  const values = new View(bytes.buffer as ArrayBuffer, bytes.byteOffset, n);
  for (let i = 0; i < n; i++) {
    const v = values[i]!;
    if ((v >= 0 && v < size) || (valid && ((valid[i >> 3]! >> (i & 7)) & 1) === 0)) continue;
    throw new Error(
      `row ${i} of column '${name}' (byte ${w.bodyAt + data.offset + i * View.BYTES_PER_ELEMENT}) ` +
        `is value ${v} of a dictionary of ${size}`,
    );
  }
}

const bitsOf = (type: DataType): number =>
  DataType.isBool(type)
    ? 1
    : 8 * (type.ArrayType as Int32ArrayConstructor).BYTES_PER_ELEMENT * strideForType(type);

/** A type that holds other columns. */
export const isNested = (type: DataType): boolean =>
  (type.children?.length ?? 0) > 0 || DataType.isUnion(type);

/** A type that keeps its values in several buffers, and the short ones in their places. */
const isView = (type: DataType): boolean =>
  DataType.isUtf8View(type) || DataType.isBinaryView(type);

const [viewBytes, shortBytes] = [16, 12];

/** Every view that counts must lie inside its buffer. */
function checkViews(w: Walk, name: string, n: number, valid: Uint8Array | null): void {
  const region = nextBuffer(w, name, viewBytes * n);
  const bytes = bytesOf(w, region);
  const views = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const count = w.header.variadicBufferCounts[w.variadic++] ?? 0;
  const sizes: number[] = [];
  for (let i = 0; i < count; i++) sizes.push(nextBuffer(w, name, 0, Infinity).length);
  for (let i = 0; i < n; i++) {
    if (valid && ((valid[i >> 3]! >> (i & 7)) & 1) === 0) continue;
    const at = i * viewBytes;
    const length = views.getInt32(at, true);
    const [buffer, offset] = [views.getInt32(at + 8, true), views.getInt32(at + 12, true)];
    const isShort = length >= 0 && length <= shortBytes;
    if (isShort || (length >= 0 && offset >= 0 && offset + length <= (sizes[buffer] ?? -1)))
      continue;
    throw new Error(
      `row ${i} of column '${name}' (byte ${w.bodyAt + region.offset + at}) is ${length} bytes at ` +
        `${offset} of buffer ${buffer}, which it has not`,
    );
  }
}

/** Lengths and places of a nested column; the values in it are not looked at. */
function checkNested(w: Walk, name: string, type: DataType, n: number): void {
  if (DataType.isList(type) || DataType.isMap(type)) lastOffset(w, name, n, false);
  else if (DataType.isLargeList(type)) lastOffset(w, name, n, true);
  else if (DataType.isUnion(type)) {
    nextBuffer(w, name, n);
    if (type.mode === UnionMode.Dense) nextBuffer(w, name, 4 * n);
  }
  for (const child of type.children ?? []) checkColumn(w, child);
}

/** Gives the number of values. */
function checkColumn(w: Walk, { name, type, nullable }: Field): number {
  const { length: n, nullCount } = nextNode(w, name);
  if (DataType.isNull(type)) return n;
  if (!nullable && nullCount > 0)
    throw new Error(`column '${name}' has ${nullCount} nulls, but may have none`);
  let valid: Uint8Array | null = null;
  if (!DataType.isUnion(type)) {
    const region = nextBuffer(w, name, nullCount > 0 ? (n + 7) >> 3 : 0, Math.ceil(n / 8));
    if (nullCount > 0) valid = bytesOf(w, region);
  }
  if (isNested(type)) checkNested(w, name, type, n);
  else if (isView(type)) checkViews(w, name, n, valid);
  else if (DataType.isUtf8(type) || DataType.isBinary(type))
    nextBuffer(w, name, lastOffset(w, name, n, false), Infinity);
  else if (DataType.isLargeUtf8(type) || DataType.isLargeBinary(type))
    nextBuffer(w, name, lastOffset(w, name, n, true), Infinity);
  else {
    const stored = DataType.isDictionary(type) ? type.indices : type;
    const data = nextBuffer(w, name, Math.ceil((n * bitsOf(stored)) / 8));
    if (DataType.isDictionary(type)) checkIndices(w, name, type, data, n, valid);
  }
  return n;
}

/**
 * Check lengths, places and indices of a record batch before it is loaded, and cut its buffers to
 * what their values need.
 * @param body the bytes behind its metadata, 8-byte aligned; `bodyAt` is their place in the file
 * @param dictionaries number of values by dictionary id
 * @throws Error naming the column and the byte.
 */
export function checkBatch(
  header: RecordBatch,
  fields: readonly Field[],
  body: Uint8Array,
  bodyAt: number,
  dictionaries: ReadonlyMap<number, number>,
): void {
  const w: Walk = { header, body, bodyAt, dictionaries, node: 0, buffer: 0, variadic: 0 };
  if (fields.length === 0 && header.length > 0)
    throw new Error(`${header.length} rows without a column`);
  for (const f of fields) {
    const n = checkColumn(w, f);
    if (n !== header.length)
      throw new Error(`column '${f.name}' has ${n} values in a batch of ${header.length} rows`);
  }
  const { nodes, buffers } = header;
  if (w.node !== nodes.length || w.buffer !== buffers.length)
    throw new Error(
      `${nodes.length} lengths and ${buffers.length} buffers are given; ` +
        `the schema needs ${w.node} and ${w.buffer}`,
    );
}

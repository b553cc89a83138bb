import { type DataType, Field, makeData, RecordBatch, Schema, Struct, Vector } from 'apache-arrow';
import {
  type RecordBatch as BatchHeader,
  DictionaryBatch,
} from 'apache-arrow/ipc/metadata/message';
import { VectorLoader } from 'apache-arrow/visitor/vectorloader';
import { checkBatch } from './ipc-check.js';
import { footerOf, type IpcFooter, type IpcMessage, messageAt } from './ipc-metadata.js';

/** What could be read of an Arrow file or of a stream that was cut off. */
export interface IpcContent {
  readonly schema: Schema;
  readonly batches: RecordBatch[];
  /** Were batches compressed? ptlab's own never are. */
  readonly packed: boolean;
  /** Why reading stopped early, with the byte; absent when the file is whole. */
  readonly cut?: string;
}

const magic = new TextEncoder().encode('ARROW1');
const isMagic = (b: Uint8Array, at: number): boolean => magic.every((m, i) => b[at + i] === m);

/** Messages of a stream from byte `at` to the mark of the end. */
function* inOrder(bytes: Uint8Array, at: number, isFile: boolean): Generator<IpcMessage> {
  let next = at;
  for (let m = messageAt(bytes, at); m; m = messageAt(bytes, next)) {
    yield m;
    next = m.end;
  }
  if (isFile || next === bytes.length)
    throw new Error('it has no footer: its writer did not finish');
  const rest = bytes.subarray(next);
  if (rest.length > 8 || rest.some((b) => b !== 0 && b !== 0xff))
    throw new Error(`${rest.length} bytes follow the mark of the end at byte ${next}`);
}

/** Messages that a footer names; they may not overlap. */
function* byFooter(bytes: Uint8Array, { starts }: IpcFooter): Generator<IpcMessage> {
  const sorted = [...starts].sort((a, b) => a - b);
  const limits = new Map(sorted.map((at, i) => [at, sorted[i + 1] ?? bytes.length]));
  for (const at of starts) {
    const m = messageAt(bytes, at);
    if (!m) throw new Error(`no message at byte ${at}, where the footer names one`);
    if (m.end > limits.get(at)!) throw new Error(`message at byte ${at} runs into the next`);
    yield m;
  }
}

/** Unpacks a block to exactly `size` bytes, or throws. */
export type Unpack = (algorithm: string, packed: Uint8Array, size: number) => Uint8Array;

/** What is read, and how. */
interface Reading {
  readonly bytes: Uint8Array;
  readonly unpack: Unpack | undefined;
  readonly dictionaries: Map<number, Vector>;
  /** Was a batch compressed? */
  packed: boolean;
}

/** Codecs by their numbers. */
const codecs = ['lz4', 'zstd'];

/** The body of a batch with its buffers unpacked; their places in the header follow. */
function unpacked(header: BatchHeader, body: Uint8Array, unpack: Unpack | undefined): Uint8Array {
  const codec = codecs[Number(header.compression!.type)];
  if (!unpack || codec === undefined)
    throw new Error(
      `its batches are compressed with ${codec ?? 'an unknown codec'}; write it without compression`,
    );
  const parts: Uint8Array[] = [];
  let at = 0;
  for (const region of header.buffers) {
    const { offset, length } = region;
    if (
      !(offset >= 0 && length >= 0 && offset + length <= body.length) ||
      (length > 0 && length < 8)
    )
      throw new Error(
        `a compressed buffer of ${length} bytes at ${offset} of a body of ${body.length}`,
      );
    const packed = body.subarray(offset, offset + length);
    const size =
      length === 0 ? -1n : new DataView(packed.buffer, packed.byteOffset).getBigInt64(0, true);
    const rest = packed.subarray(Math.min(8, length));
    const part = size < 0n ? rest : unpack(codec, rest, Number(size));
    Object.assign(region, { offset: at, length: part.length });
    parts.push(part, new Uint8Array(-part.length & 7));
    at += (part.length + 7) & ~7;
  }
  const whole = new Uint8Array(at);
  let to = 0;
  for (const part of parts) {
    whole.set(part, to);
    to += part.length;
  }
  return whole;
}

/** Vectors of a checked batch. */
function load(m: IpcMessage, header: BatchHeader, fields: readonly Field[], r: Reading) {
  const { bytes, dictionaries } = r;
  const raw = bytes.subarray(m.bodyAt, m.end);
  const aligned = raw.byteOffset % 8 === 0 ? raw : raw.slice();
  r.packed ||= header.compression !== null;
  const body = header.compression === null ? aligned : unpacked(header, aligned, r.unpack);
  const sizes = new Map([...dictionaries].map(([id, v]) => [id, v.length]));
  checkBatch(header, fields, body, m.bodyAt, sizes);
  const { nodes, buffers, variadicBufferCounts } = header;
  return new VectorLoader(
    body,
    nodes,
    buffers,
    dictionaries,
    m.version,
    variadicBufferCounts,
  ).visitMany(fields as Field[]);
}

function addDictionary(m: IpcMessage, header: DictionaryBatch, schema: Schema, r: Reading): void {
  const { dictionaries } = r;
  const type = schema.dictionaries.get(header.id) as DataType | undefined;
  if (!type) throw new Error(`no column has the dictionary ${header.id}`);
  const field = new Field(`dictionary ${header.id}`, type, true);
  const data = load(m, header.data, [field], r);
  const known = header.isDelta ? dictionaries.get(header.id) : undefined;
  const added = new Vector(data);
  dictionaries.set(header.id, (known ? known.concat(added) : added).memoize() as Vector);
}

/** Load messages until the last, or the first that is damaged: then gives why. */
function loadAll(
  messages: Iterable<IpcMessage>,
  schema: Schema,
  batches: RecordBatch[],
  r: Reading,
): string | undefined {
  const type = new Struct(schema.fields);
  let at = 0;
  try {
    for (const m of messages) {
      at = m.at;
      const { header } = m;
      if (header instanceof Schema) throw new Error('a second schema');
      if (header instanceof DictionaryBatch) addDictionary(m, header, schema, r);
      else {
        const children = load(m, header, schema.fields, r);
        const data = makeData({ type, length: header.length, nullCount: 0, children });
        batches.push(new RecordBatch(schema, data));
      }
    }
  } catch (e) {
    const { message } = e as Error;
    return /\bbyte \d/.test(message) || at === 0 || /no footer/.test(message)
      ? message
      : `message at byte ${at}: ${message}`;
  }
  return undefined;
}

function schemaAt(bytes: Uint8Array, at: number): { schema: Schema; end: number } {
  const first = messageAt(bytes, at);
  if (first?.header instanceof Schema) return { schema: first.header, end: first.end };
  throw new Error(`no Arrow schema at byte ${at}`);
}

/** A batch of no rows, which keeps the columns of a trace of no events. */
function emptyBatch(schema: Schema): RecordBatch {
  const children = schema.fields.map(({ type }) => makeData({ type, nullCount: 0 } as never));
  const type = new Struct(schema.fields);
  return new RecordBatch(schema, makeData({ type, length: 0, nullCount: 0, children }));
}

/** The footer, or why there is none to go by. */
function tryFooter(bytes: Uint8Array): IpcFooter | string {
  try {
    return footerOf(bytes);
  } catch (e) {
    return (e as Error).message;
  }
}

/**
 * All whole batches of an Arrow file, of an unfinished one, or of a stream. Everything the metadata
 * says is checked before it is used: a damaged file gives what lies before the damage. Compressed batches
 * are read with `unpack`, which knows 'zstd'.
 * @throws Error if not even the schema can be read.
 */
export function readIpc(bytes: Uint8Array, unpack?: Unpack): IpcContent {
  const r: Reading = { bytes, unpack, dictionaries: new Map(), packed: false };
  const isFile = isMagic(bytes, 0);
  const whole = isFile && bytes.length > 26 && isMagic(bytes, bytes.length - 6);
  const footer = whole ? tryFooter(bytes) : undefined;
  const batches: RecordBatch[] = [];
  let content: { schema: Schema; cut: string | undefined };
  if (typeof footer === 'object') {
    const { schema } = footer;
    content = { schema, cut: loadAll(byFooter(bytes, footer), schema, batches, r) };
  } else {
    const { schema, end } = schemaAt(bytes, isFile ? 8 : 0);
    const cut = loadAll(inOrder(bytes, end, isFile), schema, batches, r);
    content = { schema, cut: footer ?? cut };
  }
  const { schema, cut } = content;
  if (batches.length === 0) batches.push(emptyBatch(schema));
  return { schema, batches, packed: r.packed, ...(cut === undefined ? {} : { cut }) };
}

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

/** Vectors of a checked batch. */
function load(
  m: IpcMessage,
  header: BatchHeader,
  fields: readonly Field[],
  bytes: Uint8Array,
  dictionaries: Map<number, Vector>,
) {
  const raw = bytes.subarray(m.bodyAt, m.end);
  const body = raw.byteOffset % 8 === 0 ? raw : raw.slice();
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

function addDictionary(
  m: IpcMessage,
  header: DictionaryBatch,
  schema: Schema,
  bytes: Uint8Array,
  dictionaries: Map<number, Vector>,
): void {
  const type = schema.dictionaries.get(header.id) as DataType | undefined;
  if (!type) throw new Error(`no column has the dictionary ${header.id}`);
  const field = new Field(`dictionary ${header.id}`, type, true);
  const data = load(m, header.data, [field], bytes, dictionaries);
  const known = header.isDelta ? dictionaries.get(header.id) : undefined;
  const added = new Vector(data);
  dictionaries.set(header.id, (known ? known.concat(added) : added).memoize() as Vector);
}

/** Load messages until the last, or the first that is damaged: then gives why. */
function loadAll(
  messages: Iterable<IpcMessage>,
  schema: Schema,
  bytes: Uint8Array,
  batches: RecordBatch[],
): string | undefined {
  const dictionaries = new Map<number, Vector>();
  const type = new Struct(schema.fields);
  let at = 0;
  try {
    for (const m of messages) {
      at = m.at;
      const { header } = m;
      if (header instanceof Schema) throw new Error('a second schema');
      if (header instanceof DictionaryBatch) addDictionary(m, header, schema, bytes, dictionaries);
      else {
        const children = load(m, header, schema.fields, bytes, dictionaries);
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
 * says is checked before it is used: a damaged file gives what lies before the damage.
 * @throws Error if not even the schema can be read.
 */
export function readIpc(bytes: Uint8Array): IpcContent {
  const isFile = isMagic(bytes, 0);
  const whole = isFile && bytes.length > 26 && isMagic(bytes, bytes.length - 6);
  const footer = whole ? tryFooter(bytes) : undefined;
  const batches: RecordBatch[] = [];
  let content: { schema: Schema; cut: string | undefined };
  if (typeof footer === 'object') {
    const { schema } = footer;
    content = { schema, cut: loadAll(byFooter(bytes, footer), schema, bytes, batches) };
  } else {
    const { schema, end } = schemaAt(bytes, isFile ? 8 : 0);
    const cut = loadAll(inOrder(bytes, end, isFile), schema, bytes, batches);
    content = { schema, cut: footer ?? cut };
  }
  const { schema, cut } = content;
  if (batches.length === 0) batches.push(emptyBatch(schema));
  return { schema, batches, ...(cut === undefined ? {} : { cut }) };
}

import {
  Message,
  MetadataVersion,
  type RecordBatch,
  RecordBatchWriter,
  type Schema,
} from 'apache-arrow';
import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { textData } from './arrow.js';
import type { Dict } from './dict.js';
import { type ColumnName, columnNames } from './schema.js';

/** Takes bytes in order; must be done with them when it returns. */
export type Put = (bytes: Uint8Array) => void;

type Dicts = Readonly<Record<string, Dict>>;

const magic = Buffer.from('ARROW1\0\0', 'latin1');

/** Bytes before the metadata of a message: the mark of its begin, and its length. */
const prefixBytes = 8;

/** A schema as the first message of a stream, padded to `size` bytes; null if it is longer. */
function schemaMessage(schema: Schema, size?: number): Uint8Array | null {
  const metadata = Message.encode(Message.from(schema));
  const least = (prefixBytes + metadata.length + 7) & ~7;
  if (size !== undefined && size < least) return null;
  const bytes = new Uint8Array(size ?? least);
  bytes.set(new Uint8Array(Int32Array.of(-1, bytes.length - prefixBytes).buffer));
  bytes.set(metadata, prefixBytes);
  return bytes;
}

/** Messages put one after the other, from byte `position` of a file on. */
class Messages extends RecordBatchWriter {
  readonly #put: Put;

  constructor(put: Put, schema: Schema, position: number) {
    super();
    this.#put = put;
    this._started = true;
    this._schema = schema;
    this._position = position;
  }

  protected override _write(chunk: ArrayBufferView): this {
    const bytes = new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength);
    if (bytes.length > 0) this.#put(bytes);
    this._position += bytes.length;
    return this;
  }

  append(batch: RecordBatch): void {
    this._writeRecordBatch(batch as never);
  }

  addDictionaries(dicts: Dicts): void {
    for (const [name, dict] of Object.entries(dicts)) {
      const id = columnNames.indexOf(name as ColumnName);
      this._writeDictionaryBatch(textData(dict.values), id, false);
    }
  }

  /** Leave room for a record batch with these dictionaries, which someone else writes; gives where it begins. */
  reserve(dictionaries: RecordBatch, { metaDataLength, bodyLength }: BatchSize): number {
    this._writeDictionaries(dictionaries as never);
    const at = this._position;
    this._recordBatchBlocks.push(new FileBlock(metaDataLength, bodyLength, at));
    this._position += metaDataLength + bodyLength;
    return at;
  }

  /** Where the record batches stand. */
  get batches(): FileBlock[] {
    return this._recordBatchBlocks;
  }

  get dictionaries(): FileBlock[] {
    return this._dictionaryBlocks;
  }
}

/** Bytes of a record batch in a file. */
export type BatchSize = Pick<FileBlock, 'metaDataLength' | 'bodyLength'>;

/** A record batch as bytes of a file, without its dictionaries. */
export interface BatchMessage {
  readonly size: BatchSize;
  /** One after the other; those of columns are shared, not copied. */
  readonly bytes: readonly Uint8Array[];
}

class BareMessages extends Messages {
  protected override _writeDictionaries(): this {
    return this;
  }
}

/** The message of a record batch whose dictionaries are in the file already. */
export function batchMessage(batch: RecordBatch): BatchMessage {
  const bytes: Uint8Array[] = [];
  const messages = new BareMessages((b) => bytes.push(b), batch.schema, 0);
  messages.append(batch);
  const { metaDataLength, bodyLength } = messages.batches[0]!;
  return { size: { metaDataLength, bodyLength }, bytes };
}

/** What a file begins with: magic, schema, whole dictionaries. */
interface Head {
  readonly bytes: Uint8Array;
  readonly dictionaries: FileBlock[];
}

/** The head of a file, `size` bytes long if that is given; null if it needs more. */
function headOf(schema: Schema, dicts: Dicts, size?: number): Head | null {
  const parts: Uint8Array[] = [];
  const messages = new Messages((b) => parts.push(b.slice()), schema, 0);
  messages.addDictionaries(dicts);
  const body = Buffer.concat(parts);
  const room = size === undefined ? undefined : size - magic.length - body.length;
  const first = schemaMessage(schema, room);
  if (!first) return null;
  const start = magic.length + first.length;
  const dictionaries = messages.dictionaries.map(
    ({ metaDataLength, bodyLength, offset }) =>
      new FileBlock(metaDataLength, bodyLength, Number(offset) + start),
  );
  return { bytes: Buffer.concat([magic, first, body]), dictionaries };
}

/** What a file ends with: the mark of the end, and where its messages are. */
function tailOf(schema: Schema, dictionaries: FileBlock[], batches: FileBlock[]): Uint8Array {
  const footer = Footer.encode(new Footer(schema, MetadataVersion.V5, batches, dictionaries));
  const [mark, length] = [Int32Array.of(-1, 0), Int32Array.of(footer.byteLength)];
  return Buffer.concat([
    Buffer.from(mark.buffer),
    footer,
    Buffer.from(length.buffer),
    magic.subarray(0, 6),
  ]);
}

/** How the final file comes of the stream. */
export interface Seal {
  /** Its first bytes. */
  readonly head: Uint8Array;
  /** They take the place of the stream's first bytes, of which there are as many. */
  readonly inPlace: boolean;
  /** Its last bytes, behind the record batches. */
  readonly tail: Uint8Array;
  /** Record batches (offset and length in bytes in the stream) that follow the head, if it is not in place. */
  readonly copies: readonly { offset: number; length: number }[];
}

/** Greater heads than twice what is known at the first batch plus this are rare: such a file is copied. */
const spareBytes = 1 << 18;

/**
 * Writes an Arrow stream whose dictionaries grow by deltas, so a killed writer loses at most its last
 * batch. Many readers want one whole dictionary before the first batch, and the last word on lost events is
 * known only at the end: so the stream's first message is padded, to be replaced by the head of a file.
 */
export class IpcWriter {
  readonly #messages: Messages;
  readonly #reserved: number;

  /** `whole`: schema and dictionaries are what they will be at the end. */
  constructor(schema: Schema, dicts: Dicts, put: Put, whole: boolean) {
    const least = headOf(schema, dicts)!.bytes.length;
    this.#reserved = whole ? least : least * 2 + spareBytes;
    put(schemaMessage(schema, this.#reserved)!);
    this.#messages = new Messages(put, schema, this.#reserved);
  }

  append(batch: RecordBatch): void {
    this.#messages.append(batch);
  }

  /** As `append`, but someone else writes the batch, to the place that this gives; `dictionaries` has no rows. */
  reserve(dictionaries: RecordBatch, size: BatchSize): number {
    return this.#messages.reserve(dictionaries, size);
  }

  /** The ends of the final file: `schema` with the final metadata, whole dictionaries. */
  seal(schema: Schema, dicts: Dicts): Seal {
    const { batches } = this.#messages;
    const place = headOf(schema, dicts, this.#reserved);
    const head = place ?? headOf(schema, dicts)!;
    let at = head.bytes.length;
    const moved = batches.map(({ metaDataLength, bodyLength, offset }) => {
      const block = new FileBlock(metaDataLength, bodyLength, place ? Number(offset) : at);
      at += metaDataLength + bodyLength;
      return block;
    });
    const copies = batches.map(({ offset, metaDataLength, bodyLength }) => ({
      offset: Number(offset),
      length: metaDataLength + bodyLength,
    }));
    const tail = tailOf(schema, head.dictionaries, moved);
    return { head: head.bytes, inPlace: place !== null, tail, copies };
  }
}

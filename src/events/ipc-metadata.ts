import { MessageHeader, type MetadataVersion, Schema } from 'apache-arrow';
import { DictionaryBatch as FbDictionaryBatch } from 'apache-arrow/fb/dictionary-batch';
import { Footer as FbFooter } from 'apache-arrow/fb/footer';
import { Message as FbMessage } from 'apache-arrow/fb/message';
import { RecordBatch as FbRecordBatch } from 'apache-arrow/fb/record-batch';
import { Schema as FbSchema } from 'apache-arrow/fb/schema';
import { DictionaryBatch, RecordBatch } from 'apache-arrow/ipc/metadata/message';
import { ByteBuffer } from 'flatbuffers';

/**
 * Flatbuffer bytes whose every read is checked. The library trusts lengths and offsets as it finds
 * them, so one wrong byte makes it walk gigabytes that are not there.
 */
class CheckedBuffer extends ByteBuffer {
  readonly #start: number;
  #left: number;

  /** `start` is the place of `bytes` in the file, for messages. */
  constructor(bytes: Uint8Array, start: number) {
    super(bytes);
    this.#start = start;
    this.#left = 4096 + 64 * bytes.length;
  }

  /** Structures that share or contain themselves must not be read without end. */
  #check(offset: number, length: number): void {
    this.#left -= 1 + (length >> 3);
    if (this.#left < 0) throw new Error(`metadata at byte ${this.#start} contains itself`);
    if (offset >= 0 && length >= 0 && offset + length <= this.capacity()) return;
    throw new Error(
      `metadata at byte ${this.#start} (${this.capacity()} bytes) points ` +
        `outside itself: ${length} bytes at ${offset}`,
    );
  }

  override readUint8(offset: number): number {
    this.#check(offset, 1);
    return super.readUint8(offset);
  }

  override readUint16(offset: number): number {
    this.#check(offset, 2);
    return super.readUint16(offset);
  }

  override readInt32(offset: number): number {
    this.#check(offset, 4);
    return super.readInt32(offset);
  }

  override __vector_len(offset: number): number {
    const length = super.__vector_len(offset);
    this.#check(this.__vector(offset), length);
    return length;
  }

  override __string(offset: number, encoding?: unknown): string | Uint8Array {
    this.__vector_len(offset); // a string is laid out as a vector of bytes
    return super.__string(offset, encoding as never);
  }
}

/** One message of an Arrow stream; all places are byte offsets in the file. */
export interface IpcMessage {
  readonly at: number;
  readonly bodyAt: number;
  /** First byte behind the body. */
  readonly end: number;
  readonly header: Schema | RecordBatch | DictionaryBatch;
  readonly version: MetadataVersion;
}

type Decoder<T> = { decode(fb: unknown, ...rest: unknown[]): T };
const decode = <T>(type: unknown, fb: unknown, ...rest: unknown[]): T =>
  (type as Decoder<T>).decode(fb, ...rest);

/** @throws Error for numbers in the other byte order. */
function schemaOf(fb: FbSchema, version: MetadataVersion): Schema {
  if (Number(fb.endianness()) !== 0)
    throw new Error('its numbers are big-endian; write it again on a little-endian machine');
  return decode<Schema>(Schema, fb, new Map(), version);
}

function headerOf(message: FbMessage, at: number): IpcMessage['header'] {
  const version = message.version();
  const read = <T>(fb: T): T => {
    const found = message.header(fb) as T | null;
    if (found === null) throw new Error(`message at byte ${at} has no header`);
    return found;
  };
  switch (message.headerType() as number) {
    case MessageHeader.Schema:
      return schemaOf(read(new FbSchema()), version as number);
    case MessageHeader.RecordBatch:
      return decode<RecordBatch>(RecordBatch, read(new FbRecordBatch()), version);
    case MessageHeader.DictionaryBatch:
      return decode<DictionaryBatch>(DictionaryBatch, read(new FbDictionaryBatch()), version);
  }
  throw new Error(`message at byte ${at} is of the unknown type ${message.headerType()}`);
}

const int32 = (bytes: Uint8Array, at: number): number =>
  new DataView(bytes.buffer, bytes.byteOffset).getInt32(at, true);

/**
 * The message at byte `at`; null at the mark of the end (or at the end of `bytes` itself).
 * @throws Error naming the byte if it is cut off or damaged.
 */
export function messageAt(bytes: Uint8Array, at: number): IpcMessage | null {
  const room = bytes.length - at;
  if (room === 0) return null;
  const short = (what: string): Error =>
    new Error(`${what} of the message at byte ${at} reach beyond byte ${bytes.length}, the end`);
  if (room < 4) throw short('the first bytes');
  const marked = int32(bytes, at) === -1;
  if (marked && room < 8) throw short('the first bytes');
  const start = at + (marked ? 8 : 4);
  const length = int32(bytes, start - 4);
  if (length === 0) return null;
  if (length < 0) throw new Error(`message at byte ${at} has a length of ${length} bytes`);
  if (start + length > bytes.length) throw short(`${length} bytes of metadata`);
  const buffer = new CheckedBuffer(bytes.subarray(start, start + length), start);
  const message = FbMessage.getRootAsMessage(buffer);
  const bodyAt = start + length;
  const body = Number(message.bodyLength());
  if (body < 0) throw new Error(`message at byte ${at} has a body of ${body} bytes`);
  if (bodyAt + body > bytes.length) throw short(`${body} bytes of body`);
  return {
    at,
    bodyAt,
    end: bodyAt + body,
    header: headerOf(message, at),
    version: message.version() as number,
  };
}

/** The last part of an Arrow file: where its messages are. */
export interface IpcFooter {
  readonly schema: Schema;
  /** First bytes of the messages: all dictionaries, then all record batches. */
  readonly starts: readonly number[];
}

/**
 * The footer of a file that ends in the magic.
 * @throws Error naming the byte if it is damaged.
 */
export function footerOf(bytes: Uint8Array): IpcFooter {
  const end = bytes.length - 10;
  const length = int32(bytes, end);
  if (length <= 0 || length > end - 8)
    throw new Error(`the footer that ends at byte ${end} has a length of ${length} bytes`);
  const buffer = new CheckedBuffer(bytes.subarray(end - length, end), end - length);
  const footer = FbFooter.getRootAsFooter(buffer);
  const fb = footer.schema();
  if (fb === null) throw new Error(`the footer at byte ${end - length} has no schema`);
  const schema = schemaOf(fb, footer.version() as number);
  const starts: number[] = [];
  for (let i = 0; i < footer.dictionariesLength(); i++)
    starts.push(Number(footer.dictionaries(i)!.offset()));
  for (let i = 0; i < footer.recordBatchesLength(); i++)
    starts.push(Number(footer.recordBatches(i)!.offset()));
  for (const at of starts) {
    if (at < 8 || at % 8 !== 0 || at >= end - length)
      throw new Error(`the footer at byte ${end - length} names a message at byte ${at}`);
  }
  if (new Set(starts).size < starts.length)
    throw new Error(`the footer at byte ${end - length} names a message twice`);
  return { schema, starts };
}

import { MetadataVersion, type RecordBatch, RecordBatchWriter, type Schema } from 'apache-arrow';
import { FileBlock, Footer } from 'apache-arrow/ipc/metadata/file';
import { textData } from './arrow.js';
import type { Dict } from './dict.js';
import { type ColumnName, columnNames } from './schema.js';

/** Takes bytes in order; must be done with them when it returns. */
export type Put = (bytes: Uint8Array) => void;

const magic = new TextEncoder().encode('ARROW1');

/**
 * Writes an Arrow stream whose dictionaries grow by deltas, so a killed writer loses at most its last batch. Many readers want one whole dictionary
 * before the first batch, and the last word on lost events is known only at the end: `sealInto` makes
 * the final file of it.
 */
export class IpcWriter extends RecordBatchWriter {
  readonly #put: Put;

  constructor(schema: Schema, put: Put, asFile = false) {
    super();
    this.#put = put;
    this._started = true;
    this._schema = schema;
    if (asFile) this._write(magic)._writePadding(2);
    this._writeSchema(schema);
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

  /**
   * Write the final Arrow file: `schema` with the final metadata, whole dictionaries, then the
   * batches, which `copy` (offset, length in bytes of what was written here) puts unchanged.
   */
  sealInto(
    put: Put,
    schema: Schema,
    dicts: Readonly<Record<string, Dict>>,
    copy: (offset: number, length: number) => void,
  ): void {
    const file = new IpcWriter(schema, put, true);
    for (const [name, dict] of Object.entries(dicts)) {
      const id = columnNames.indexOf(name as ColumnName);
      file._writeDictionaryBatch(textData(dict.values), id, false);
    }
    for (const { offset, metaDataLength, bodyLength } of this._recordBatchBlocks) {
      file._recordBatchBlocks.push(new FileBlock(metaDataLength, bodyLength, file._position));
      copy(offset, metaDataLength + bodyLength);
      file._position += metaDataLength + bodyLength;
    }
    file.#end(schema);
  }

  #end(schema: Schema): void {
    this._write(Int32Array.of(-1, 0));
    const blocks = [this._recordBatchBlocks, this._dictionaryBlocks] as const;
    const footer = Footer.encode(new Footer(schema, MetadataVersion.V5, ...blocks));
    this._write(footer);
    this._write(Int32Array.of(footer.byteLength));
    this._write(magic);
  }
}

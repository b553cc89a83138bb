import type { SchemaElement } from 'hyparquet';
import { ByteWriter, type ColumnSource, ParquetWriter } from 'hyparquet-writer';
import { metaToMap } from './meta.js';
import { type Column, columnNames, columns, type Kind, schemaVersion } from './schema.js';
import type { Trace } from './trace.js';

const types: Readonly<Record<Kind, Pick<SchemaElement, 'type' | 'converted_type'>>> = {
  dict: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  u8: { type: 'INT32', converted_type: 'UINT_8' },
  u16: { type: 'INT32', converted_type: 'UINT_16' },
  u32: { type: 'INT32', converted_type: 'UINT_32' },
  i32: { type: 'INT32' },
  i64: { type: 'INT64' },
  u64: { type: 'INT64', converted_type: 'UINT_64' },
  f64: { type: 'DOUBLE' },
  bool: { type: 'BOOLEAN' },
};

const schema: SchemaElement[] = [
  { name: 'trace', num_children: columnNames.length },
  ...columnNames.map((name): SchemaElement => {
    const { kind, nullable } = columns[name] as Column;
    return { name, ...types[kind], repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED' };
  }),
];

/** A writer that hands its bytes on whenever a row group is done. */
class Pieces extends ByteWriter {
  readonly #put: (bytes: Uint8Array) => void;

  constructor(put: (bytes: Uint8Array) => void) {
    super(1 << 20);
    this.#put = put;
  }

  flush(): void {
    this.#put(this.getBytes().slice());
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/** Write the trace as Parquet (Snappy), one row group a batch, with what is known of it as metadata. */
export function writeParquet(trace: Trace, put: (bytes: Uint8Array) => void): void {
  const kvMetadata = [...metaToMap(trace.meta, schemaVersion)].map(([key, value]) => ({
    key: key === 'ptlab' ? key : `ptlab.${key}`,
    value,
  }));
  const writer = new ParquetWriter({ writer: new Pieces(put), schema, kvMetadata });
  for (const batch of trace.batches) {
    const columnData = columnNames.map((name): ColumnSource => {
      const vector = batch.getChild(name)!;
      return { name, data: Array.from({ length: batch.numRows }, (_, i) => vector.get(i)) };
    });
    writer.write({ columnData, rowGroupSize: batch.numRows });
  }
  writer.finish();
}

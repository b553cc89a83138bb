import type { ColumnMetaData, FileMetaData, SchemaTree } from 'hyparquet';
import { columnNames } from '../events/schema.js';
import { type Access, FormatError, type Importer } from './importer.js';
import { type Column, checkChunk } from './parquet/check.js';
import { checkPlaces, rowsInto, startsWith, takeMeta } from './tables.js';
import { unpackBlock } from './unpack.js';

type Library = typeof import('hyparquet');

/** Rows that are turned into objects at a time. */
const sliceRows = 1 << 16;
/** No file holds more rows than this in a byte: each has a stamp and the name of an event. */
const maxRowsPerByte = 256;

type Unpack = Column['unpack'];

/** Stamps as nanoseconds, in whichever unit another tool kept them. */
const parsers = {
  timestampFromMilliseconds: (v: bigint) => v * 1_000_000n,
  timestampFromMicroseconds: (v: bigint) => v * 1000n,
  timestampFromNanoseconds: (v: bigint) => v,
};

/** How the pages of a codec are unpacked, each to its stated size and no more. */
function unpackers({ snappyUncompress }: Library): Readonly<Record<string, Unpack>> {
  const plain: Unpack = (packed, size) => {
    if (packed.length === size) return packed;
    throw new Error(`a page of ${packed.length} bytes states ${size}`);
  };
  const snappy: Unpack = (packed, size) => {
    // a copy of 3 bytes gives 64 at most
    if (size > packed.length * 32 + 64)
      throw new Error(`${packed.length} packed bytes cannot give the ${size} that the page states`);
    const out = new Uint8Array(size);
    snappyUncompress(packed, out);
    return out;
  };
  const block =
    (algorithm: string): Unpack =>
    (packed, size) =>
      unpackBlock(algorithm, packed, size);
  return {
    UNCOMPRESSED: plain,
    SNAPPY: snappy,
    ZSTD: block('zstd'),
    GZIP: block('gzip'),
    BROTLI: block('brotli'),
    LZ4_RAW: block('lz4 block'),
  };
}

/** The columns of a trace that a file has, by name; others are not looked at. */
function ownColumns(tree: SchemaTree): Map<string, SchemaTree> {
  const known = new Set<string>(columnNames);
  const own = new Map<string, SchemaTree>();
  for (const c of tree.children) {
    const { name } = c.element;
    if (!known.has(name)) continue;
    if (own.has(name)) throw new FormatError(`a table with two columns '${name}'; which is meant?`);
    if (c.children.length > 0 || c.element.repetition_type === 'REPEATED')
      throw new FormatError(
        `column '${name}' holds lists or structures; a trace has plain values there`,
      );
    own.set(name, c);
  }
  if (tree.element.repetition_type === 'REPEATED') throw new Error('its rows are lists');
  return own;
}

/** Where the pages of a column lie. @throws Error if that is not in the file. */
function placeOf(m: ColumnMetaData, rows: bigint, size: number): { start: number; length: number } {
  const start = Number(m.dictionary_page_offset || m.data_page_offset);
  const length = Number(m.total_compressed_size);
  if (start >= 0 && length >= 0 && start + length <= size && m.num_values === rows)
    return { start, length };
  throw new Error(
    `${rows} rows, but its column '${m.path_in_schema.join('.')}' has ${m.num_values} values in ` +
      `${length} bytes at byte ${start}; the file has ${size}`,
  );
}

/** Check all pages of one row group that will be read. */
function checkGroup(
  group: FileMetaData['row_groups'][number],
  own: ReadonlyMap<string, SchemaTree>,
  from: Access,
  unpack: Readonly<Record<string, Unpack>>,
): void {
  const found = new Set<string>();
  for (const { meta_data: meta } of group.columns) {
    if (!meta) throw new Error('a column that is not described');
    const name = meta.path_in_schema[0]!;
    const column = own.get(name);
    if (!column) continue;
    if (found.has(name)) throw new Error(`the column '${name}' twice`);
    found.add(name);
    const way = Object.hasOwn(unpack, meta.codec) ? unpack[meta.codec] : undefined;
    if (!way)
      throw new FormatError(
        `Parquet whose column '${name}' is packed with ${meta.codec}; known: ${Object.keys(unpack).join(', ')}`,
      );
    const { start, length } = placeOf(meta, group.num_rows, from.size);
    const { repetition_type, type } = column.element;
    const optional = repetition_type !== 'REQUIRED';
    const c: Column = { meta, optional, boolean: type === 'BOOLEAN', unpack: way };
    try {
      checkChunk(c, from.read(start, length), Number(group.num_rows));
    } catch (e) {
      if (e instanceof FormatError) throw e;
      throw new Error(`column '${name}' at byte ${start}: ${(e as Error).message}`);
    }
  }
}

/** Check that the row groups have the rows that the file states, and not beyond reason. */
function checkCounts({ num_rows, row_groups }: FileMetaData, size: number): void {
  let rows = 0n;
  for (const g of row_groups) {
    if (g.num_rows < 0n) throw new Error(`a row group of ${g.num_rows} rows`);
    rows += g.num_rows;
  }
  if (rows !== num_rows)
    throw new Error(`${num_rows} rows are stated, but its row groups have ${rows}`);
  if (rows > BigInt(size) * BigInt(maxRowsPerByte))
    throw new Error(`${rows} rows are stated, which ${size} bytes cannot hold`);
}

/** The file as the library reads it: a rejected piece may be left unawaited. */
const fileOf = (from: Access) => ({
  byteLength: from.size,
  slice(start: number, end = from.size) {
    const piece = Promise.resolve().then(
      () => new Uint8Array(from.read(start, end - start)).slice().buffer,
    );
    piece.catch(() => {});
    return piece;
  },
});

/** Parquet with ptlab's column names. */
export const parquet: Importer = {
  about: "Parquet with ptlab's column names",
  sniff: (head) => startsWith(head, 'PAR1'),
  async read(input, log, meta) {
    const library = await import('hyparquet');
    const from = await input.access();
    const file = fileOf(from);
    try {
      const metadata = await library.parquetMetadataAsync(file);
      const said = metadata.key_value_metadata;
      const saidOf = (key: string) => said?.find((k) => k.key === `ptlab.${key}`)?.value;
      takeMeta(meta, saidOf);
      checkCounts(metadata, from.size);
      const tree = library.parquetSchema(metadata);
      const own = ownColumns(tree);
      const names = tree.children.map((c) => c.element.name);
      const rows = rowsInto(log, meta, names);
      const compressors = unpackers(library);
      const columns = [...own.keys()];
      let first = 0;
      for (const [g, group] of metadata.row_groups.entries()) {
        try {
          checkGroup(group, own, from, compressors);
        } catch (e) {
          if (e instanceof FormatError) throw e;
          throw new Error(`row group ${g}: ${(e as Error).message}`);
        }
        const end = first + Number(group.num_rows);
        for (let rowStart = first; rowStart < end; rowStart += sliceRows) {
          const rowEnd = Math.min(end, rowStart + sliceRows);
          const options = { file, metadata, columns, rowStart, rowEnd, compressors, parsers };
          const objects = await library.parquetReadObjects(options);
          if (objects.length !== rowEnd - rowStart)
            throw new Error(`${objects.length} rows found where ${rowEnd - rowStart} are stated`);
          for (const o of objects) rows.add((c) => o[names[c]!], { offset: 0 });
        }
        first = end;
      }
      rows.finish();
      checkPlaces(meta, saidOf('seen'), log.total);
    } catch (e) {
      throw e instanceof FormatError
        ? e
        : new FormatError(`damaged Parquet: ${(e as Error).message}`);
    }
  },
};

import { Readable } from 'node:stream';
import { brotliDecompressSync, createInflate, gunzipSync, inflateSync } from 'node:zlib';
import { Decompress, decompress } from 'fzstd';
import { FormatError } from './importer.js';
import { unlz4Block, unlz4Frame } from './lz4.js';

/** Greatest window a zstd stream may ask for; zstd itself refuses more unless told otherwise. */
const maxWindow = 1 << 27;
/** Greatest piece that one compressed block may grow to. */
const maxPiece = 1 << 30;

const bad = (what: string, e: unknown): FormatError =>
  new FormatError(`${what} data is damaged: ${(e as Error).message}`);

/** What the header of a zstd frame asks for: its window, and the size of its content if it says so. */
function zstdHeader(b: Uint8Array): { window: number; size: number | null } {
  const descriptor = b[4] ?? 0;
  const single = (descriptor >> 5) & 1;
  const sizeFlag = descriptor >> 6;
  const exponent = 10 + ((b[5] ?? 0) >> 3);
  const window = single ? 0 : 2 ** exponent * (1 + ((b[5] ?? 0) & 7) / 8);
  const bytes = sizeFlag ? 1 << sizeFlag : single;
  const at = 6 - single + [0, 1, 2, 4][descriptor & 3]!;
  if (bytes === 0 || at + bytes > b.length) return { window, size: null };
  let size = sizeFlag === 1 ? 256 : 0;
  for (let i = 0; i < bytes; i++) size += b[at + i]! * 2 ** (8 * i);
  return { window, size };
}

/** @throws FormatError if a zstd frame asks for memory beyond reason. */
export function checkZstd(b: Uint8Array): void {
  const { window, size } = zstdHeader(b);
  const asked = window === 0 ? (size ?? 0) : window; // a single segment is its own window
  if (asked > maxWindow) {
    throw new FormatError(`a zstd frame asks for a window of ${asked} bytes, over ${maxWindow}`);
  }
}

/** A frame whose content is `size` bytes. */
function unzstdBlock(packed: Uint8Array, size: number): Uint8Array {
  checkZstd(packed);
  const stated = zstdHeader(packed).size;
  if (stated !== null && stated > size) {
    throw new FormatError(`a zstd frame holds ${stated} bytes, but its block states ${size}`);
  }
  if (stated !== null) return decompress(packed);
  // Without a size of its own fzstd would copy a window for each piece: give it the room at once. It
  // compares what it is given with 1, which would spell out the whole array but for this.
  const room = Object.assign(new Uint8Array(size), { valueOf: () => 0 });
  return decompress(packed, room);
}

/**
 * Unpack one block whose size is stated beforehand.
 * @throws FormatError if it does not give exactly that many bytes, or the algorithm is unknown.
 */
export function unpackBlock(algorithm: string, packed: Uint8Array, size: number): Uint8Array {
  if (size > maxPiece || size > packed.length * 40_000 + 65_536) {
    throw new FormatError(
      `${packed.length} packed bytes cannot give the ${size} bytes that the block states`,
    );
  }
  let out: Uint8Array;
  try {
    const most = { maxOutputLength: Math.max(1, size) };
    if (algorithm === 'zlib') out = inflateSync(packed, most);
    else if (algorithm === 'gzip') out = gunzipSync(packed, most);
    else if (algorithm === 'brotli') out = brotliDecompressSync(packed, most);
    else if (algorithm === 'zstd') out = unzstdBlock(packed, size);
    else if (algorithm === 'lz4') out = unlz4Frame(packed, size);
    else if (algorithm === 'lz4 block') out = unlz4Block(packed, size);
    else throw new FormatError(`compression '${algorithm}' is unknown. Known: none, zlib, zstd`);
  } catch (e) {
    throw e instanceof FormatError ? e : bad(algorithm, e);
  }
  if (out.length !== size) {
    throw new FormatError(`a block gives ${out.length} bytes, but states ${size}`);
  }
  return out;
}

/** Packed bytes of a .zst stream taken at a time: four can be a block, which gives up to 128 KiB. */
const zstdStep = 1 << 11;

/** A .zst stream, unpacked as it comes. */
export async function* unzstd(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const ready: Uint8Array[] = [];
  const d = new Decompress((data) => void ready.push(data));
  let first = true;
  for await (const piece of pieces) {
    if (first && piece[0] === 0x28) checkZstd(piece); // not a frame to be skipped
    first = false;
    for (let at = 0; at < piece.length; at += zstdStep) {
      d.push(piece.subarray(at, at + zstdStep));
      for (const r of ready.splice(0)) if (r.length > 0) yield r;
    }
  }
  d.push(new Uint8Array(0), true);
  for (const r of ready) if (r.length > 0) yield r;
}

/** A .xz stream, unpacked as it comes. */
export async function* unxz(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const { XzReadableStream } = (await import('xz-decompress')).default;
  const it = pieces[Symbol.asyncIterator]();
  const stream = new ReadableStream<Uint8Array>({
    async pull(to) {
      const n = await it.next();
      if (n.done) to.close();
      else to.enqueue(n.value);
    },
  });
  const reader = new XzReadableStream(stream as never).getReader();
  for (let n = await reader.read(); !n.done; n = await reader.read()) yield n.value as Uint8Array;
}

/** What `adb shell` made of each newline on its way: left it, or put one or two carriage returns before it. */
type Newline = '\n' | '\r\n' | '\r\r\n';

/** Words of atrace stand before its packed trace; more is no such file. */
const mostWords = 4096;

/**
 * Where the packed trace of `atrace -z` begins, behind its line 'TRACE:', and how that line ends; null if it
 * holds none. The stream is zlib's, whose first two bytes are a multiple of 31.
 */
export function packedAtrace(head: Uint8Array): { start: number; newline: Newline } | null {
  const words = Buffer.from(head.subarray(0, mostWords)).toString('latin1');
  const m = /(?:^|\n)TRACE:(\r{0,2}\n)x/.exec(words);
  const start = m ? m.index + m[0].length - 1 : 0;
  if (!m || (head[start]! * 256 + (head[start + 1] ?? 0)) % 31 !== 0) return null;
  return { start, newline: m[1] as Newline };
}

/** The bytes of a stream with each `newline` made one byte again; it may be cut between two pieces. */
async function* mendNewlines(
  pieces: AsyncIterable<Uint8Array>,
  newline: Newline,
): AsyncGenerator<Uint8Array> {
  let kept = '';
  for await (const piece of pieces) {
    const text = kept + Buffer.from(piece).toString('latin1');
    const open = newline === '\n' ? 0 : (/\r{1,2}$/.exec(text)?.[0].length ?? 0);
    kept = text.slice(text.length - open);
    yield Buffer.from(text.slice(0, text.length - open).replaceAll(newline, '\n'), 'latin1');
  }
  if (kept !== '') yield Buffer.from(kept, 'latin1');
}

/** What `atrace -z` printed, unpacked as it comes: the words before the trace, and the trace. */
export async function* unatrace(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  const it = pieces[Symbol.asyncIterator]();
  let head: Uint8Array = new Uint8Array(0);
  for (let n = await it.next(); !n.done; n = await it.next()) {
    head = Buffer.concat([head, n.value]);
    if (head.length >= mostWords) break;
  }
  const { start, newline } = packedAtrace(head)!;
  yield head.subarray(0, start);
  async function* packed() {
    yield head.subarray(start);
    for (let n = await it.next(); !n.done; n = await it.next()) yield n.value;
  }
  const inflate = createInflate({ chunkSize: 1 << 20 });
  yield* Readable.from(mendNewlines(packed(), newline)).pipe(inflate) as AsyncIterable<Uint8Array>;
}

import { createHash } from 'node:crypto';
import { createReadStream, existsSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { fileWriter, memoryWriter, readTrace, type TraceWriter } from '../events/file.js';
import { newMeta, type TraceMeta } from '../events/meta.js';
import { counts, type Trace } from '../events/trace.js';
import { FormatError, type Importer, type Input } from './importer.js';
import { importers } from './index.js';

/** How a source is to be read. */
export interface OpenOptions {
  /** Name of an importer, where the content should not decide. */
  readonly format?: string | undefined;
  /** Kernel release to note, where the source does not say it. */
  readonly kernel?: string | undefined;
  /** Told how many bytes of the file were read. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

const pieceBytes = 1 << 20;
const headBytes = 1 << 16;

/** What is learnt of a source while it is read. */
interface Source {
  readonly hash: ReturnType<typeof createHash>;
  bytes: number;
  /** Why unpacking stopped early. */
  cut?: string;
}

async function* rawPieces(path: string, source: Source, options: OpenOptions) {
  const total = path === '-' ? 0 : statSync(path).size;
  const stream =
    path === '-' ? process.stdin : createReadStream(path, { highWaterMark: pieceBytes });
  for await (const piece of stream as AsyncIterable<Uint8Array>) {
    source.hash.update(piece);
    source.bytes += piece.length;
    options.onProgress?.(source.bytes, total);
    yield piece;
  }
}

/** The first piece, and the whole again. */
async function peek(pieces: AsyncIterable<Uint8Array>) {
  const it = pieces[Symbol.asyncIterator]();
  const first = await it.next();
  async function* again() {
    if (first.done) return;
    yield first.value;
    for (let n = await it.next(); !n.done; n = await it.next()) yield n.value;
  }
  return { head: first.done ? new Uint8Array(0) : first.value, pieces: again() };
}

/** A cut .gz gives what could be unpacked; the reason goes to `source.cut`. */
async function* gunzipped(pieces: AsyncIterable<Uint8Array>, source: Source) {
  const out = Readable.from(pieces).pipe(createGunzip({ chunkSize: pieceBytes }));
  try {
    for await (const piece of out as AsyncIterable<Uint8Array>) yield piece;
  } catch (e) {
    source.cut = `unpacking stopped near byte ${source.bytes}: ${(e as Error).message}`;
  }
}

const isGzip = (head: Uint8Array): boolean => head[0] === 0x1f && head[1] === 0x8b;
/** The magic of an Arrow file, or the mark before each message of an Arrow stream. */
const isArrow = (head: Uint8Array): boolean =>
  Buffer.from(head.subarray(0, 6)).toString('latin1') === 'ARROW1' ||
  [0, 1, 2, 3].every((i) => head[i] === 0xff);

const shown = (head: Uint8Array): string =>
  JSON.stringify(Buffer.from(head.subarray(0, 48)).toString('latin1'));

/** The importer to use, by name or by the first bytes. */
function choose(name: string, head: Uint8Array, format?: string): [string, Importer] {
  const list: Readonly<Record<string, Importer>> = importers;
  const known = Object.keys(list).join(', ');
  if (format !== undefined) {
    if (!Object.hasOwn(list, format)) {
      throw new FormatError(`unknown format '${format}'. Known: ${known}`);
    }
    return [format, list[format]!];
  }
  if (head.length === 0) throw new FormatError(`${name}: empty file; nothing to import`);
  const found = Object.entries(list).find(([, i]) => i.sniff(head.subarray(0, headBytes)));
  if (found) return found;
  throw new FormatError(
    `${name}: no format known to ptlab; it begins (byte 0) with ${shown(head)}. ` +
      `Known: arrow, ${known}; force one with --format`,
  );
}

function checkPath(path: string): void {
  if (path === '-') return;
  if (!existsSync(path)) throw new FormatError(`${path}: no such file`);
  if (!statSync(path).isFile()) throw new FormatError(`${path}: not a file`);
}

interface Opened {
  readonly source: Source;
  readonly input: Input;
  readonly importer: Importer;
  readonly meta: TraceMeta;
}

async function open(path: string, options: OpenOptions): Promise<Opened> {
  checkPath(path);
  const source: Source = { hash: createHash('sha256'), bytes: 0 };
  let { head, pieces } = await peek(rawPieces(path, source, options));
  if (isGzip(head)) ({ head, pieces } = await peek(gunzipped(pieces, source)));
  const name = path === '-' ? 'stdin' : basename(path);
  const [format, importer] = choose(path, head, options.format);
  const meta = newMeta(name, format);
  if (options.kernel !== undefined) meta.kernel = options.kernel;
  return { source, importer, meta, input: { name: path, chunks: () => pieces } };
}

/** Complete `meta` after reading, and refuse a source in which nothing was found. */
function settle({ source, meta }: Opened, events: number, path: string): void {
  meta.sha256 = source.hash.digest('hex');
  if (source.cut !== undefined) meta.notes.push(source.cut);
  if (events > 0) return;
  const sample = meta.unparsed.samples[0];
  const why = sample
    ? `; ${meta.unparsed.lines} lines were not understood, the first is ` +
      `line ${sample.line} (byte ${sample.offset}): ${JSON.stringify(sample.text.slice(0, 80))}`
    : '';
  throw new FormatError(
    `${path}: read as ${meta.format}, but it holds no event${why}. ` +
      `Is it the right file? Another format can be forced with --format`,
  );
}

async function importInto<T>(path: string, opened: Opened, make: Make<T>): Promise<T> {
  const writer = make(opened.meta);
  try {
    await opened.importer.read(opened.input, writer.log, opened.meta);
    settle(opened, writer.log.total, path);
  } catch (e) {
    if (e instanceof FormatError) writer.abandon();
    throw e;
  }
  return writer.finish(opened.meta);
}

type Make<T> = (meta: TraceMeta) => TraceWriter<T>;

const cpusSeen = (trace: Trace): number => Object.keys(counts(trace).per_cpu).length;

/**
 * Open a trace of any known format: ptlab's own Arrow file, or anything an importer reads.
 * @throws FormatError saying what, where and what to do.
 */
export async function openTrace(path: string, options: OpenOptions = {}): Promise<Trace> {
  checkPath(path);
  if (path !== '-' && options.format === undefined) {
    const { head } = await peek(createReadStream(path, { end: 15 }));
    if (isArrow(head)) return readArrow(path);
  }
  const trace = await importInto(path, await open(path, options), memoryWriter);
  trace.meta.cpus ??= cpusSeen(trace);
  return trace;
}

function readArrow(path: string): Trace {
  try {
    return readTrace(path);
  } catch (e) {
    throw new FormatError(`${path}: ${(e as Error).message}`);
  }
}

/** Import a source to an Arrow file; gives what is known of it. */
export async function importFile(
  path: string,
  out: string,
  options: OpenOptions = {},
): Promise<TraceMeta> {
  const opened = await open(path, options);
  await importInto(path, opened, (meta) => fileWriter(out, meta));
  return opened.meta;
}

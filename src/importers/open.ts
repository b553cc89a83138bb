import { basename } from 'node:path';
import { fileWriter, memoryWriter, readTrace, type TraceWriter } from '../events/file.js';
import { mergeInto, mergeMeta } from '../events/merge.js';
import { newMeta, putGaps, type TraceMeta } from '../events/meta.js';
import { counts, type Trace } from '../events/trace.js';
import { takeBeside } from './beside.js';
import { choose, wrapperOf } from './choose.js';
import { fileAccess } from './files.js';
import {
  type Access,
  FormatError,
  holdAll,
  type Importer,
  type Input,
  isOfSystem,
  noTool,
} from './importer.js';
import { peek } from './peek.js';
import {
  checkPath,
  type Heard,
  hashRest,
  isPlain,
  newSource,
  rawPieces,
  type Source,
  unpacked,
  watched,
} from './source.js';
import { runTool } from './tool.js';

/** How a source is to be read. */
export interface OpenOptions extends Heard {
  /** Name of an importer, where the content should not decide. */
  readonly format?: string | undefined;
  /** Kernel release to note, where the source does not say it. */
  readonly kernel?: string | undefined;
  /**
   * Threads that read a large text, beside the one that hashes and writes; 1: none but this. By default as many as
   * pay off.
   */
  readonly jobs?: number | undefined;
}

interface Opened {
  readonly source: Source;
  readonly input: Input;
  readonly importer: Importer;
  readonly meta: TraceMeta;
  readonly close: () => void;
}

async function open(path: string, options: OpenOptions): Promise<Opened> {
  checkPath(path);
  const source = newSource();
  let { head, pieces, drop } = await peek(rawPieces(path, source, options));
  const wrapper = wrapperOf(head);
  if (wrapper) ({ head, pieces, drop } = await peek(unpacked(pieces, wrapper, source)));
  if (head.length === 0 && source.cut !== undefined)
    throw new FormatError(`${path}: ${source.cut}`);
  const name = path === '-' ? 'stdin' : basename(path);
  const [format, importer] = choose(path, head, options.format);
  const meta = newMeta(name, format);
  if (options.kernel !== undefined) meta.kernel = options.kernel;
  const plainFile = !wrapper && isPlain(path);
  source.reuse = plainFile;
  let close = (): void => {};
  const access = async (): Promise<Access> => {
    if (!plainFile) return holdAll(pieces);
    await drop();
    hashRest(path, source);
    const file = fileAccess(path);
    close = file.close;
    return watched(file, source, options);
  };
  const tool = plainFile
    ? (c: string, args: readonly string[]) => runTool(c, args, path, pieces)
    : noTool;
  const input: Input = { name: path, chunks: () => pieces, access, tool, jobs: options.jobs };
  return { source, importer, meta, input, close: () => close() };
}

/** Tables may be empty; a trace without an event is most likely not the right file. */
const mayBeEmpty = ['arrow', 'parquet', 'csv'];

/** Complete `meta` after reading, and refuse a source in which nothing was found. */
function settle({ source, meta }: Opened, events: number, path: string): void {
  meta.sha256 = source.hash.digest('hex');
  if (source.cut !== undefined) meta.notes.push(source.cut);
  const sample = meta.unparsed.samples[0];
  if (events > 0 || (mayBeEmpty.includes(meta.format) && !sample && !source.cut)) return;
  const place = sample?.line === undefined ? '' : `line ${sample.line}, `;
  const why = sample
    ? `; ${meta.unparsed.lines} lines or records were not understood, the first is ` +
      `${place}byte ${sample.offset}: ${JSON.stringify(sample.text.slice(0, 80))}`
    : '';
  throw new FormatError(
    `${path}: read as ${meta.format}, but it holds no event${why}. ` +
      `Is it the right file? Another format can be forced with --format`,
  );
}

async function importInto<T>(path: string, opened: Opened, make: Make<T>): Promise<T> {
  const { source, importer, input, meta, close } = opened;
  const writer = make(meta);
  source.events = () => writer.log.total;
  try {
    await importer.read(input, writer.log, meta);
    settle(opened, writer.log.total, path);
    if (meta.format === 'csv' && path !== '-') takeBeside(path, meta, writer.log.total);
    return writer.finish(meta);
  } catch (e) {
    if (e instanceof FormatError || isOfSystem(e)) writer.abandon();
    if (!(e instanceof FormatError) || e.message.startsWith(path)) throw e;
    throw new FormatError(`${path}: ${e.message}`);
  } finally {
    close();
  }
}

type Make<T> = (meta: TraceMeta) => TraceWriter<T>;

const cpusSeen = (trace: Trace): number => Object.keys(counts(trace).per_cpu).length;

/** The magic of an Arrow file, or the mark before each message of an Arrow stream. */
function isArrow(path: string): boolean {
  const file = fileAccess(path);
  try {
    const head = file.read(0, Math.min(6, file.size));
    const mark = [0, 1, 2, 3].every((i) => head[i] === 0xff);
    return mark || Buffer.from(head).toString('latin1') === 'ARROW1';
  } finally {
    file.close();
  }
}

/**
 * Open a trace of any known format: ptlab's own Arrow file, or anything an importer reads.
 * @throws FormatError saying what, where and what to do.
 */
export async function openTrace(path: string, options: OpenOptions = {}): Promise<Trace> {
  checkPath(path);
  if (isPlain(path) && options.format === undefined && isArrow(path)) {
    const own = readArrow(path);
    if (own) return own;
  }
  const trace = await importInto(path, await open(path, options), memoryWriter);
  trace.meta.cpus ??= cpusSeen(trace);
  return trace;
}

/** ptlab's own file; null for another Arrow file, which is imported like any table. */
function readArrow(path: string): Trace | null {
  try {
    return readTrace(path);
  } catch (e) {
    if (/not a ptlab trace/.test((e as Error).message)) return null;
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
  try {
    await importInto(path, opened, (meta) => fileWriter(out, meta));
  } catch (e) {
    if (!isOfSystem(e) || !['write', 'ftruncate', 'fsync'].includes(e.syscall)) throw e;
    throw new FormatError(
      `${out}: ${e.message}, after ${opened.source.bytes} bytes of ${path}; nothing is left behind`,
    );
  }
  return opened.meta;
}

/** Several sources as one trace, by time; each row names its file in `source`. */
export async function openTraces(
  paths: readonly string[],
  options: OpenOptions = {},
): Promise<Trace> {
  const traces: Trace[] = [];
  for (const path of paths) traces.push(await openTrace(path, options));
  if (traces.length === 1) return traces[0]!;
  const meta = mergeMeta(traces.map((t) => t.meta));
  const writer = memoryWriter(meta);
  putGaps(meta, mergeInto(writer.log, traces, paths));
  return writer.finish(meta);
}

import {
  closeSync,
  fsyncSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import type { RecordBatch } from 'apache-arrow';
import { arrowSchema, checkColumns, newDictionaries, toRecordBatch } from './arrow.js';
import { rowSource } from './copy.js';
import { type BatchMessage, IpcWriter, type Seal } from './ipc.js';
import { readIpc } from './ipc-read.js';
import { emptyBatch, endLog, isZeros, type Log, newLog } from './log.js';
import { metaFromMap, type TraceMeta } from './meta.js';
import { schemaVersion } from './schema.js';
import { newTrace, type Trace } from './trace.js';

/** A trace being made: append to `log`, then `finish`. */
export interface TraceWriter<T> {
  readonly log: Log;
  /** End the trace; `meta.seen` and `meta.complete` are set here. */
  finish(meta: TraceMeta): T;
  /** Nothing worth keeping was written: leave no file behind. */
  abandon(): void;
}

function closeMeta(meta: TraceMeta, log: Log): TraceMeta {
  endLog(log);
  meta.seen = log.total;
  meta.complete = true;
  return meta;
}

/** Collect a trace in memory. */
export function memoryWriter(meta: TraceMeta): TraceWriter<Trace> {
  const batches: RecordBatch[] = [];
  const dictionaries = newDictionaries();
  const schema = arrowSchema(meta);
  const log: Log = newLog((b) => batches.push(toRecordBatch(b, log, dictionaries, schema)));
  return { log, finish: (m) => newTrace(closeMeta(m, log), batches), abandon() {} };
}

/** Bytes put at the end of a file. */
interface Sink {
  readonly fd: number;
  /** Bytes so far. */
  size: number;
}

/** Write all of `bytes` at `position`; a full disk may take less at a time. */
function writeAt(fd: number, bytes: Uint8Array, position: number): void {
  for (let at = 0; at < bytes.length; ) {
    at += writeSync(fd, bytes, at, bytes.length - at, position + at);
  }
}

/** Append bytes; a column that no row sets is left as a hole, which reads as zeros and takes no disk. */
function append(to: Sink, bytes: Uint8Array): void {
  if (!isZeros(bytes)) writeAt(to.fd, bytes, to.size);
  to.size += bytes.length;
}

/** Small enough to stay in the processor's cache between the read and the write. */
const copyPiece = 1 << 18;

/** Bytes `[offset, offset + length)` of one file to the end of another. */
function copyBytes(from: number, to: Sink, offset: number, length: number): void {
  const piece = new Uint8Array(Math.min(length, copyPiece));
  for (let at = 0; at < length; ) {
    const n = readSync(from, piece, 0, Math.min(piece.length, length - at), offset + at);
    if (n === 0) throw new Error('the file being written was cut short by someone else');
    append(to, piece.subarray(0, n));
    at += n;
  }
}

/** Make the final file of the stream in `from`: in place, or beside it as `path`. */
function sealStream(from: Sink, { head, inPlace, tail, copies }: Seal, path: string): void {
  if (inPlace) {
    append(from, tail);
    ftruncateSync(from.fd, from.size);
    writeAt(from.fd, head, 0);
    fsyncSync(from.fd);
    return;
  }
  const to: Sink = { fd: openSync(path, 'w'), size: 0 };
  append(to, head);
  for (const { offset, length } of copies) copyBytes(from.fd, to, offset, length);
  append(to, tail);
  fsyncSync(to.fd);
  closeSync(to.fd);
}

/** Writes batches into a file that another thread made, in the room that it left for them. */
export function sharedWriter(path: string): (message: BatchMessage, position: number) => void {
  const fd = openSync(path, 'r+');
  return ({ bytes }, position) => {
    const to: Sink = { fd, size: position };
    for (const b of bytes) append(to, b);
  };
}

/**
 * Write a trace to `path`. Until `finish` it is `path`.part, a stream whose whole batches can be
 * read at any time; then it becomes an Arrow IPC file and takes its name.
 */
export function fileWriter(path: string, meta: TraceMeta): TraceWriter<void> {
  const [part, sealed] = partsOf(path) as [string, string];
  const out: Sink = { fd: openSync(part, 'w+'), size: 0 };
  const dictionaries = newDictionaries();
  let schema = arrowSchema(meta);
  let ending = false;
  let ipc: IpcWriter | null = null;
  const start = () => new IpcWriter(schema, log.dicts, (b) => append(out, b), ending);
  const log: Log = newLog((b) => {
    ipc ??= start();
    ipc.append(toRecordBatch(b, log, dictionaries, schema));
    ftruncateSync(out.fd, out.size); // a hole at the end counts
  }, true);
  log.file = {
    path: part,
    reserve(size) {
      ipc ??= start();
      const dictionariesOnly = toRecordBatch(emptyBatch(0), log, dictionaries, schema);
      const at = ipc.reserve(dictionariesOnly, size);
      out.size = at + size.metaDataLength + size.bodyLength;
      ftruncateSync(out.fd, out.size);
      return at;
    },
  };
  return {
    log,
    finish(m) {
      schema = arrowSchema(Object.assign(m, { seen: log.total, complete: true }));
      ending = true;
      endLog(log);
      ipc ??= start();
      const seal = ipc.seal(schema, log.dicts);
      sealStream(out, seal, sealed);
      renameSync(seal.inPlace ? part : sealed, path);
      closeSync(out.fd);
      if (!seal.inPlace) unlinkSync(part);
    },
    abandon() {
      closeSync(out.fd);
      for (const file of partsOf(path)) rmSync(file, { force: true });
    },
  };
}

/** Files that may lie beside `path` until its trace is finished. */
export const partsOf = (path: string): string[] => [`${path}.part`, `${path}.part.sealed`];

/** Write a trace that is in memory to `path`. */
export function writeTrace(path: string, trace: Trace): void {
  const writer = fileWriter(path, trace.meta);
  try {
    const source = rowSource(trace, writer.log);
    for (let i = 0; i < source.rows; i++) source.append(i);
    writer.finish(trace.meta);
  } catch (e) {
    writer.abandon(); // a full disk needs no half a trace
    throw e;
  }
}

/** A whole file as bytes, also beyond the 2 GiB that one read call gives. */
function readWhole(path: string): Uint8Array {
  const size = statSync(path).size;
  const bytes = new Uint8Array(size);
  const fd = openSync(path, 'r');
  try {
    let at = 0;
    while (at < size) {
      const n = readSync(fd, bytes, at, Math.min(size - at, 1 << 30), at);
      if (n === 0) break;
      at += n;
    }
    return bytes.subarray(0, at);
  } finally {
    closeSync(fd);
  }
}

const sum = (batches: readonly RecordBatch[]): number => batches.reduce((n, b) => n + b.numRows, 0);

/**
 * Open a trace file. A file whose writer died, or that was cut, gives all its whole batches, says so
 * in `meta.notes`, and has `meta.complete` false.
 * @throws Error if it is no Arrow file, none of ptlab's, or one that another tool has written again.
 */
export function readTrace(path: string): Trace {
  const { schema, batches, cut, packed } = readIpc(readWhole(path));
  const meta = metaFromMap(schema.metadata, schemaVersion);
  checkColumns(schema);
  if (packed) throw new Error('not a ptlab trace as ptlab writes it: it is compressed');
  const rows = sum(batches);
  const short = rows !== meta.seen ? `it says it has ${meta.seen}` : undefined;
  const why = cut ?? short;
  if (why !== undefined) {
    meta.complete = false;
    meta.seen = rows;
    const whole = batches.filter((b) => b.numRows > 0).length;
    meta.notes.push(`truncated: ${rows} events in ${whole} whole batches; ${why}`);
  }
  return newTrace(meta, batches);
}

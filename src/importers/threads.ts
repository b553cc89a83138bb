import { Worker } from 'node:worker_threads';
import type { Log } from '../events/log.js';
import type { TraceMeta } from '../events/meta.js';
import { type Chunk, isPlain, mergeChunk } from './chunk.js';
import { finish, readLines } from './ftrace.js';
import { readHead } from './ftrace-line.js';
import { newState, type State } from './ftrace-text.js';
import type { Access } from './importer.js';
import type { Place } from './lines.js';

/** A chunk for a worker to read: bytes [begin, end) of a file. */
export interface Job {
  readonly path: string;
  readonly begin: number;
  readonly end: number;
  readonly tracer: string | null;
}

/** How a file is shared out. */
export interface Sharing {
  readonly path: string;
  readonly file: Access;
  readonly jobs: number;
  readonly chunkBytes: number;
}

const windowBytes = 1 << 16;

/** Where a chunk can begin: the first event's line at or soon behind `from`; the end of the file; -1 if there is none. */
export function boundaryAt(file: Access, from: number): number {
  if (from >= file.size) return file.size;
  const buf = file.read(from - 1, Math.min(windowBytes, file.size - from + 1));
  let start = buf.indexOf(10) + 1;
  for (let end = buf.indexOf(10, start); start > 0 && end >= 0; end = buf.indexOf(10, start)) {
    if (readHead(buf, start, end)) return from - 1 + start;
    start = end + 1;
  }
  return -1;
}

/** A stream of bytes, handed out in order up to a place at a time. */
function cutter(pieces: AsyncIterable<Uint8Array>) {
  const it = pieces[Symbol.asyncIterator]();
  let at = 0;
  let rest: Uint8Array = new Uint8Array(0);
  return async function* upTo(end: number): AsyncGenerator<Uint8Array> {
    while (at < end) {
      if (rest.length === 0) {
        const n = await it.next();
        if (n.done) return;
        rest = n.value;
      }
      const piece = rest.subarray(0, end - at);
      rest = rest.subarray(piece.length);
      at += piece.length;
      yield piece;
    }
  };
}

/** Threads that read chunks, each its own in the order asked. */
function startWorkers(count: number) {
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./chunk-worker.js', import.meta.url));
    const waiting: { done: (c: Chunk) => void; fail: (e: Error) => void }[] = [];
    worker.on('message', (chunk: Chunk) => waiting.shift()!.done(chunk));
    worker.on('error', (e) => {
      for (const w of waiting.splice(0)) w.fail(e);
    });
    return { worker, waiting };
  });
  let turn = 0;
  return {
    read(job: Job): Promise<Chunk> {
      const { worker, waiting } = workers[turn++ % count]!;
      const result = new Promise<Chunk>((done, fail) => void waiting.push({ done, fail }));
      result.catch(() => {}); // it may fail before it is asked for
      worker.postMessage(job);
      return result;
    },
    stop: () => Promise.all(workers.map(({ worker }) => worker.terminate())),
  };
}

/** Read chunk after chunk by workers, from `place` on; gives where that ended: behind is no plain trace, or nothing. */
async function readChunks(
  s: State,
  { path, file, jobs, chunkBytes }: Sharing,
  from: Place,
  skipTo: (end: number) => AsyncIterable<Uint8Array>,
): Promise<Place> {
  const workers = startWorkers(jobs);
  const asked: { end: number; chunk: Promise<Chunk> }[] = [];
  let place = from;
  let next = from.offset;
  const ask = (): void => {
    const end = boundaryAt(file, next + chunkBytes);
    if (end < 0 || next >= file.size) return;
    const job = { path, begin: next, end, tracer: s.tracer };
    asked.push({ end, chunk: workers.read(job) });
    next = end;
  };
  try {
    for (let i = 0; i <= jobs; i++) ask(); // one more than there are workers, so that none waits for this thread
    for (let job = asked.shift(); job !== undefined; job = asked.shift()) {
      const chunk = await job.chunk;
      if (!chunk.plain) return place;
      ask();
      place = mergeChunk(s, chunk, place, job.end);
      for await (const piece of skipTo(job.end)) void piece; // for the hash and the progress
    }
    return place;
  } finally {
    await workers.stop();
  }
}

/**
 * Read a plain file of ftrace text, of which `pieces` are the bytes, with worker threads. The table is the same
 * as that of one thread: a chunk that depends on what comes before it is read again here, with all behind it.
 */
export async function readInThreads(
  sharing: Sharing,
  pieces: AsyncIterable<Uint8Array>,
  log: Log,
  meta: TraceMeta,
): Promise<void> {
  const s = newState(log, meta);
  const upTo = cutter(pieces);
  const first = boundaryAt(sharing.file, sharing.chunkBytes);
  let place = await readLines(s, upTo(Math.max(0, first)));
  if (first >= 0 && isPlain(s)) place = await readChunks(s, sharing, place, upTo);
  await readLines(s, upTo(Number.POSITIVE_INFINITY), place);
  finish(s);
}

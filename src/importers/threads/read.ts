import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { appendPart, reserveParts } from '../../events/parts.js';
import { giveMemory } from '../../events/spare.js';
import type { State } from '../ftrace/state.js';
import { readLines } from '../ftrace/text.js';
import type { Place } from '../lines.js';
import {
  type Answer,
  canMerge,
  type Delivery,
  isPlain,
  type Job,
  mergeChunk,
  type Verdict,
} from './chunk.js';
import { type Cutter, newCutter } from './cut.js';

/** Bytes that a thread reads at a time: about as many rows as a batch holds. */
const chunkBytes = 1 << 22;
/** Bytes that this thread reads alone: a header; without a wish for threads, what is not worth starting them. */
const [headBytes, aloneBytes] = [1 << 16, 1 << 27];
const pieceBytes = 1 << 20;
/** More are not started without a wish: this thread could not keep up with them. */
const mostThreads = 4;

/** With two processors a thread more costs what it gains: each compiles the same code, and this one has a third of the work. */
function usualThreads(): number {
  const cpus = availableParallelism();
  return cpus > 2 ? Math.min(mostThreads, cpus - 1) : 1;
}

/** A thread that reads chunks: it answers in the order asked. */
interface Thread {
  readonly worker: Worker;
  ask<T>(message: Job | Verdict, moved?: ArrayBuffer[]): Promise<T>;
}

function startThread(): Thread {
  const worker = new Worker(new URL('./chunk-worker.js', import.meta.url));
  const waiting: { done: (a: never) => void; fail: (e: Error) => void }[] = [];
  let failed: Error | null = null;
  // An answer that was under way when the thread failed finds nobody waiting.
  worker.on('message', (answer) => waiting.shift()?.done(answer as never));
  worker.on('error', (e) => {
    failed = e;
    for (const w of waiting.splice(0)) w.fail(e);
  });
  return {
    worker,
    ask<T>(message: Job | Verdict, moved: ArrayBuffer[] = []): Promise<T> {
      const result = new Promise<T>((done, fail) => {
        if (failed) fail(failed);
        else waiting.push({ done, fail });
      });
      result.catch(() => {}); // it may fail before it is waited for
      worker.postMessage(message, moved);
      return result;
    },
  };
}

/** A chunk that a thread has been asked for. */
interface Asked {
  readonly thread: Thread;
  readonly answer: Promise<Answer>;
}

/** Take the rows of a chunk into the log; gives where the chunk ends, and a promise that all was written. */
async function take(s: State, { chunk, sizes }: Answer, thread: Thread, from: Place) {
  const { log } = s;
  const { place, ids } = mergeChunk(s, chunk, from);
  const first = log.total;
  if (log.file !== null) {
    const file = { path: log.file.path, places: reserveParts(log, sizes) };
    return { place, written: thread.ask<Delivery>({ ids, first, file }) };
  }
  const { parts } = await thread.ask<Delivery>({ ids, first, file: null });
  for (const part of parts) appendPart(log, part);
  return { place, written: null };
}

/**
 * Read chunk after chunk by threads, from `from` on, as long as chunks can be cut; gives where that ended. A
 * chunk that depends on what comes before it is read again here, and no more are asked for.
 */
async function readChunks(
  s: State,
  cut: Cutter,
  threads: readonly Thread[],
  from: Place,
): Promise<Place> {
  const asked: Asked[] = [];
  const writes: (Promise<Delivery> | null)[] = [];
  let { offset } = from;
  let place = from;
  let goesOn = true;
  let turn = 0;
  const ask = async (): Promise<void> => {
    const bytes = goesOn ? await cut.next(chunkBytes) : null;
    if (bytes === null) return;
    const thread = threads[turn++ % threads.length]!;
    const job = { bytes, offset, tracer: s.tracer };
    asked.push({ thread, answer: thread.ask<Answer>(job, [bytes.buffer]) });
    offset += bytes.length;
  };
  for (let i = 0; i <= threads.length; i++) await ask(); // one more, so that none waits for this thread
  for (let next = asked.shift(); next !== undefined; next = asked.shift()) {
    const { thread } = next;
    const answer = await next.answer;
    await ask();
    if (canMerge(s, answer.chunk)) {
      const taken = await take(s, answer, thread, place);
      place = taken.place;
      writes.push(taken.written);
    } else {
      goesOn = false;
      thread.worker.postMessage(null);
      place = await readLines(s, [answer.bytes], place);
    }
    giveMemory([answer.bytes.buffer]);
  }
  await Promise.all(writes);
  return place;
}

/**
 * Read ftrace text with `jobs` worker threads (1: none); if that is undefined, with a few on a machine of more than two
 * processors, from 128 MiB on. The table is the same as that of one thread; only its batches are cut elsewhere.
 */
export async function readInThreads(
  s: State,
  pieces: AsyncIterable<Uint8Array>,
  jobs?: number,
): Promise<void> {
  const count = jobs ?? usualThreads();
  if (count < 2) {
    await readLines(s, pieces);
    return;
  }
  const cut = newCutter(pieces);
  let place: Place = { line: 0, offset: 0 };
  const alone = jobs === undefined ? aloneBytes : headBytes;
  while (place.offset < alone) {
    const first = await cut.next(Math.min(alone, pieceBytes));
    if (first === null) break;
    place = await readLines(s, [first], place);
  }
  if (place.offset >= alone && isPlain(s)) {
    const threads = Array.from({ length: count }, startThread);
    try {
      place = await readChunks(s, cut, threads, place);
    } finally {
      await Promise.all(threads.map(({ worker }) => worker.terminate()));
    }
  }
  await readLines(s, cut.rest(), place);
}

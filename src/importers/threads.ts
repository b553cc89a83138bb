import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { memoryOf } from '../events/append-part.js';
import { giveMemory } from '../events/memory.js';
import { type Answer, canMerge, isPlain, type Job, mergeChunk } from './chunk.js';
import { type Cutter, newCutter } from './cut.js';
import { readLines } from './ftrace-lines.js';
import type { State } from './ftrace-text.js';
import type { Place } from './lines.js';

/** Bytes that a thread reads at a time: about as many rows as a batch holds. */
const chunkBytes = 1 << 22;
/** Bytes that this thread reads alone: a header; without a wish for threads, what is not worth starting them. */
const [headBytes, aloneBytes] = [1 << 16, 1 << 27];
const pieceBytes = 1 << 20;
/** More are not started without a wish: this thread could not keep up with them. */
const mostThreads = 4;

/** Threads that read chunks, each its own in the order asked. */
function startWorkers(count: number) {
  const workers = Array.from({ length: count }, () => {
    const worker = new Worker(new URL('./chunk-worker.js', import.meta.url));
    const waiting: { done: (a: Answer) => void; fail: (e: Error) => void }[] = [];
    worker.on('message', (answer: Answer) => waiting.shift()!.done(answer));
    worker.on('error', (e) => {
      for (const w of waiting.splice(0)) w.fail(e);
    });
    return { worker, waiting };
  });
  let turn = 0;
  return {
    read(job: Job): Promise<Answer> {
      const { worker, waiting } = workers[turn++ % count]!;
      const result = new Promise<Answer>((done, fail) => void waiting.push({ done, fail }));
      result.catch(() => {}); // it may fail before it is asked for
      worker.postMessage(job, [job.bytes.buffer, ...job.spare]);
      return result;
    },
    stop: () => Promise.all(workers.map(({ worker }) => worker.terminate())),
  };
}

/**
 * Read chunk after chunk by workers, from `from` on, as long as chunks can be cut; gives where that ended. A
 * chunk that depends on what comes before it is read again here, and no more are asked for.
 */
async function readChunks(s: State, cut: Cutter, jobs: number, from: Place): Promise<Place> {
  const workers = startWorkers(jobs);
  const asked: Promise<Answer>[] = [];
  const spare: ArrayBuffer[] = [];
  let { offset } = from;
  let place = from;
  let goesOn = true;
  const ask = async (): Promise<void> => {
    const bytes = goesOn ? await cut.next(chunkBytes) : null;
    if (bytes === null) return;
    asked.push(workers.read({ bytes, offset, tracer: s.tracer, spare: spare.splice(0) }));
    offset += bytes.length;
  };
  try {
    for (let i = 0; i <= jobs; i++) await ask(); // one more than there are workers, so that none waits for this thread
    for (let next = asked.shift(); next !== undefined; next = asked.shift()) {
      const { chunk, bytes } = await next;
      await ask();
      if (canMerge(s, chunk)) {
        place = mergeChunk(s, chunk, place);
        if (s.log.reuse) spare.push(...chunk.parts.flatMap(memoryOf));
      } else {
        goesOn = false;
        place = await readLines(s, [bytes], place);
      }
      giveMemory([bytes.buffer]);
    }
    return place;
  } finally {
    await workers.stop();
  }
}

/**
 * Read ftrace text with `jobs` worker threads (1: none) or, if that is undefined, with as many as pay off: none
 * for a small text. The table is the same as that of one thread; only its batches are cut elsewhere.
 */
export async function readInThreads(
  s: State,
  pieces: AsyncIterable<Uint8Array>,
  jobs?: number,
): Promise<void> {
  const count = jobs ?? Math.min(mostThreads, availableParallelism());
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
  if (place.offset >= alone && isPlain(s)) place = await readChunks(s, cut, count, place);
  await readLines(s, cut.rest(), place);
}

// A worker thread: reads chunks of a text trace, one after the other, and hands over their columns.
import { parentPort } from 'node:worker_threads';
import { memoryOf } from '../events/append-part.js';
import { readChunk } from './chunk.js';
import { fileRange } from './files.js';
import type { Job } from './threads.js';

const port = parentPort!;
let last: Promise<void> = Promise.resolve();

async function answer({ path, begin, end, tracer }: Job): Promise<void> {
  const chunk = await readChunk(fileRange(path, begin, end), tracer, begin);
  port.postMessage(chunk, chunk.parts.flatMap(memoryOf));
}

port.on('message', (job: Job) => {
  last = last.then(() => answer(job));
});

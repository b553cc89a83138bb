// A worker thread: reads chunks of a text trace, one after the other, and hands over their columns.
import { parentPort } from 'node:worker_threads';
import { memoryOf } from '../events/append-part.js';
import { giveMemory } from '../events/memory.js';
import { type Answer, type Job, readChunk } from './chunk.js';

const port = parentPort!;
let last: Promise<void> = Promise.resolve();

async function answer(job: Job): Promise<void> {
  const { bytes } = job;
  giveMemory(job.spare);
  const chunk = await readChunk(job);
  const reply: Answer = { chunk, bytes };
  port.postMessage(reply, [bytes.buffer, ...chunk.parts.flatMap(memoryOf)]);
}

port.on('message', (job: Job) => {
  last = last.then(() => answer(job));
});

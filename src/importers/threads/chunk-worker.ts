// A worker thread: reads chunks of a text trace, one after the other. What a chunk's rows are called in the whole
// trace is known once those before it are: then it writes them into the trace's file, or hands them over.
import { parentPort } from 'node:worker_threads';
import { sharedWriter } from '../../events/file.js';
import type { BatchMessage } from '../../events/ipc.js';
import type { Batch } from '../../events/log.js';
import { adapt, memoryOf, messageOf, partOf } from '../../events/parts.js';
import { giveMemory } from '../../events/spare.js';
import { type Answer, type Delivery, type Job, readChunk, type Verdict } from './chunk.js';

/** Batches of a chunk that wait for a verdict. */
interface Waiting {
  readonly batches: readonly Batch[];
  readonly messages: readonly BatchMessage[];
}

const port = parentPort!;
const waiting: Waiting[] = [];
let write: ReturnType<typeof sharedWriter> | null = null;
let last: Promise<void> = Promise.resolve();

async function read(job: Job): Promise<void> {
  const { bytes } = job;
  const { chunk, batches } = await readChunk(job);
  const messages = batches.map(messageOf);
  waiting.push({ batches, messages });
  const sizes = messages.map(({ size }, i) => ({ ...size, length: batches[i]!.length }));
  const answer: Answer = { chunk, sizes, bytes };
  port.postMessage(answer, [bytes.buffer]);
}

/** Write batches, and use their memory again. */
function deliver({ batches, messages }: Waiting, { path, places }: Verdict['file'] & {}): void {
  write ??= sharedWriter(path);
  for (const [i, message] of messages.entries()) write(message, places[i]!);
  giveMemory(batches.flatMap((b) => memoryOf(partOf(b))));
}

function end({ ids, first, file }: Verdict): void {
  const chunk = waiting.shift()!;
  let row = first;
  for (const batch of chunk.batches) {
    adapt(batch, ids, row);
    row += batch.length;
  }
  const delivery: Delivery = { parts: file ? [] : chunk.batches.map(partOf) };
  if (file) deliver(chunk, file);
  port.postMessage(delivery, delivery.parts.flatMap(memoryOf));
}

port.on('message', (message: Job | Verdict | null) => {
  last = last.then(() => {
    if (message === null)
      waiting.shift(); // the chunk is read again elsewhere
    else if ('bytes' in message) return read(message);
    else end(message);
    return undefined;
  });
});

// iopub: everything in order, streams gathered into few messages, nothing lost while a reader
// keeps reading, and no growth while it does not.
import { StringDecoder } from 'node:string_decoder';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Publisher } from 'zeromq';
import type { Content, Message } from '../wire.js';

/** A stream message holds at most so much, and comes at least so long after the one before. */
const batchBytes = 128 * 1024;
const batchMs = 15;
/** More than this unsent, and the writer is made to wait. */
const highWater = 4 * 1024 * 1024;
/** A reader that takes nothing for so long is left behind, in ms. */
const patience = 30_000;

export type StreamName = 'stdout' | 'stderr';

/** The publishing side of a kernel. */
export interface Publishing {
  /** Queue a message that answers `parent`. */
  publish(type: string, parent: Message | null, content: Content): void;
  /** Queue bytes of a cell's stream; bytes that are not UTF-8 become U+FFFD. */
  stream(name: StreamName, parent: Message | null, bytes: Buffer): void;
  /** Settles when the queue is short enough to take more; undefined if it is. */
  room(): Promise<void> | undefined;
  /** Settles when all that was queued before has been sent. */
  sent(): Promise<void>;
}

interface Batch {
  readonly name: StreamName;
  readonly parent: Message | null;
  readonly texts: string[];
  size: number;
}

/** `make` builds and signs the frames of a message. */
export function publishing(
  socket: Publisher,
  make: (type: string, parent: Message | null, content: Content) => Buffer[],
): Publishing {
  const queue: Buffer[][] = [];
  let queuedBytes = 0;
  let lost = 0;
  let stuck = false;
  let draining: Promise<void> | undefined;
  let batch: Batch | undefined;
  let timer: NodeJS.Timeout | undefined;
  let lastBatch = 0;
  const decoders = { stdout: new StringDecoder('utf8'), stderr: new StringDecoder('utf8') };
  let roomWaiters: (() => void)[] = [];

  const sendOne = async (frames: Buffer[]): Promise<void> => {
    const began = Date.now();
    for (let wait = 1; ; wait = Math.min(wait * 2, 20)) {
      try {
        await socket.send(frames);
        if (lost > 0) process.stderr.write(`ptlab: ${lost} messages lost on a reader that slept\n`);
        lost = 0;
        stuck = false;
        return;
      } catch (e) {
        if ((e as NodeJS.ErrnoException).code !== 'EAGAIN') throw e;
        if (stuck || Date.now() - began > patience) break;
        await sleep(wait);
      }
    }
    stuck = true;
    lost++;
  };
  const drain = async (): Promise<void> => {
    for (let frames = queue.shift(); frames; frames = queue.shift()) {
      await sendOne(frames).catch((e) => process.stderr.write(`ptlab: iopub: ${e}\n`));
      queuedBytes -= bytesOf(frames);
      if (queuedBytes < highWater) {
        for (const go of roomWaiters) go();
        roomWaiters = [];
      }
    }
    draining = undefined;
  };
  const enqueue = (type: string, parent: Message | null, content: Content): void => {
    const frames = make(type, parent, content);
    queue.push(frames);
    queuedBytes += bytesOf(frames);
    draining ??= drain();
  };
  const endBatch = (): void => {
    clearTimeout(timer);
    timer = undefined;
    const b = batch;
    batch = undefined;
    if (!b) return;
    lastBatch = Date.now();
    enqueue('stream', b.parent, { name: b.name, text: b.texts.join('') });
  };
  const add = (name: StreamName, parent: Message | null, text: string): void => {
    if (text === '') return;
    if (batch && (batch.name !== name || batch.parent !== parent)) endBatch();
    batch ??= { name, parent, texts: [], size: 0 };
    batch.texts.push(text);
    batch.size += text.length;
    if (batch.size >= batchBytes) endBatch();
    else timer ??= setTimeout(endBatch, Math.max(0, lastBatch + batchMs - Date.now()));
  };
  return {
    publish(type, parent, content) {
      for (const name of ['stdout', 'stderr'] as const)
        if (type === 'status') add(name, parent, decoders[name].end());
      endBatch();
      enqueue(type, parent, content);
    },
    stream(name, parent, bytes) {
      for (let at = 0; at < bytes.length; at += batchBytes)
        add(name, parent, decoders[name].write(bytes.subarray(at, at + batchBytes)));
    },
    room() {
      if (queuedBytes < highWater) return undefined;
      return new Promise((go) => roomWaiters.push(go));
    },
    async sent() {
      endBatch();
      while (draining) await draining;
    },
  };
}

const bytesOf = (frames: readonly Buffer[]): number => frames.reduce((n, f) => n + f.length, 0);

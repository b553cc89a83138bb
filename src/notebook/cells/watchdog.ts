// A thread beside the cells. It stops a cell that does not let go of the main thread, and ends
// the process when the server is gone.
import { Session } from 'node:inspector';
import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { frameReader, pipes, slots } from '../frames.js';

/** Long enough for a live event loop to react, in ms. */
const patience = 150;
/** A compiler cut off in its work would be left in pieces: wait for it so long, in ms. */
const compilerPatience = 8_000;

const shared = new Int32Array(workerData as SharedArrayBuffer);

/**
 * Stop what the main thread does and keep its memory. Code unwound this way does not pop the
 * stack of async ids, at which Node would abort, so it is emptied first.
 */
function terminate(cell: number): void {
  const session = new Session();
  session.connectToMainThread();
  session.post('Runtime.evaluate', { expression: 'globalThis.__ptlab_clearAsyncIds__?.()' });
  session.post('Runtime.terminateExecution', () => {
    session.disconnect(); // a process that ends waits for those that are connected
    parentPort?.postMessage(cell);
  });
}

function stop(cell: number, began = Date.now()): void {
  const waited = Date.now() - began;
  if (Atomics.load(shared, slots.finished) >= cell) return;
  if (Atomics.load(shared, slots.acknowledged) >= cell) return;
  const compiling = Atomics.load(shared, slots.compiling) !== 0 && waited < compilerPatience;
  if (waited < patience || compiling) setTimeout(() => stop(cell, began), 20);
  else terminate(cell);
}

function watch(): void {
  const read = frameReader();
  const socket = new Socket({ fd: pipes.interrupts, readable: true, writable: false });
  socket.on('data', (chunk) => {
    for (const { cell } of read(chunk)) {
      Atomics.store(shared, slots.acknowledged, 0);
      parentPort?.postMessage(cell);
      stop(cell);
    }
  });
  socket.on('close', () => process.kill(process.pid, 'SIGKILL'));
}

watch();

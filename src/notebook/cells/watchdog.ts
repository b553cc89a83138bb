// A thread beside the cells. It stops a cell that does not let go of the main thread, and ends
// the process when the server is gone.
import { Session } from 'node:inspector';
import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import { frameReader, pipes, slots } from '../frames.js';

/** Long enough for a live event loop to react, in ms. */
const patience = 150;

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

/**
 * Ask the main thread to give cell up, again and again until it has: the cell may begin to loop
 * after an answer. A compiler is never cut off, which would leave it in pieces; one that does not
 * come to an end is the server's to kill.
 */
function stop(cell: number): void {
  let asked = 0;
  const look = (): void => {
    if (Atomics.load(shared, slots.finished) >= cell) return;
    const answered = Atomics.load(shared, slots.acknowledged) >= cell;
    if (asked === 0 || answered) {
      Atomics.store(shared, slots.acknowledged, 0);
      parentPort?.postMessage(cell);
      asked = Date.now();
    } else if (Atomics.load(shared, slots.compiling) !== 0) asked = Date.now();
    else if (Date.now() - asked >= patience) {
      terminate(cell);
      asked = Date.now();
    }
    setTimeout(look, 20);
  };
  look();
}

function watch(): void {
  const read = frameReader();
  const socket = new Socket({ fd: pipes.interrupts, readable: true, writable: false });
  socket.on('data', (chunk) => {
    for (const { cell } of read(chunk)) stop(cell);
  });
  // with all that the cells have started, which no one would end otherwise
  socket.on('close', () => process.kill(-process.pid, 'SIGKILL'));
}

watch();

// What lock steps do to a lock's words. C: kernel/locking/rwsem.c (6.12, !PREEMPT_RT); mutexes and spinlocks are the
// writer word alone, in no order (real ones queue; any order includes theirs).
//
// Words: the writer (task + 1), the readers' count, the handoff mark, the readers granted by a waker but not yet running
// (bit per task), then the queue: (task + 1) * 2, + 1 for a writer; 0 ends it.
import type { Lock, Place, TryLock, Unlock } from '../step.js';
import { MAX_WAITERS, type System, type Task } from '../system.js';
import { BLOCKED, QUEUES, READY, type Readiness } from './readiness.js';

const READERS = 1;
const HANDOFF = 2;
const GRANTED = 3;
const QUEUE = 4;

const ticket = (task: Task, mode: 'read' | 'write'): number =>
  (task.id + 1) * 2 + (mode === 'write' ? 1 : 0);
const isWriter = (queued: number): boolean => queued % 2 === 1;

function queuedAt(cells: Float64Array, on: Place, wanted: number): number {
  for (let i = 0; i < MAX_WAITERS && cells[on + QUEUE + i] !== 0; i++)
    if (cells[on + QUEUE + i] === wanted) return i;
  return -1;
}

function dequeue(cells: Float64Array, on: Place, index: number): void {
  const first = on + QUEUE;
  cells.copyWithin(first + index, first + index + 1, first + MAX_WAITERS);
  cells[first + MAX_WAITERS - 1] = 0;
}

/** A reader may come in now: no writer, no handoff, and not second reader while anybody queues. */
const readerMay = (cells: Float64Array, on: Place, fair: boolean): boolean =>
  cells[on] === 0 &&
  (!fair || (cells[on + HANDOFF] === 0 && (cells[on + READERS] === 0 || cells[on + QUEUE] === 0)));

/** The first in the queue may have the handoff mark set, if it is not yet. */
const mayAskHandoff = (sys: System, on: Place, index: number): boolean =>
  index === 0 && sys.cells[on + HANDOFF] === 0 && sys.variant.has('handoff');

function readReady(sys: System, task: Task, on: Place): Readiness {
  const { cells } = sys;
  const fair = !sys.variant.has('unfair');
  if ((cells[on + GRANTED]! >> task.id) & 1) return READY;
  const index = queuedAt(cells, on, ticket(task, 'read'));
  if (index < 0) return readerMay(cells, on, fair) ? READY : fair ? QUEUES : BLOCKED;
  // A waker grants the lock to all queued readers once a reader is first in the queue; where it finds that a writer
  // was faster, it asks for the handoff in that reader's name. C: rwsem_mark_wake()
  if (cells[on] === 0) return isWriter(cells[on + QUEUE]!) ? BLOCKED : READY;
  return mayAskHandoff(sys, on, index) ? QUEUES : BLOCKED;
}

function writeReady(sys: System, task: Task, on: Place): Readiness {
  const { cells } = sys;
  const free = cells[on] === 0 && cells[on + READERS] === 0;
  const handoff = cells[on + HANDOFF] !== 0;
  if (sys.variant.has('unfair')) return free ? READY : BLOCKED;
  const index = queuedAt(cells, on, ticket(task, 'write'));
  if (free && (!handoff || index === 0)) return READY;
  if (index < 0) return QUEUES;
  return mayAskHandoff(sys, on, index) ? QUEUES : BLOCKED;
}

/** Can `step` be done, must it wait, or can the task only join the queue (or, as its head, ask for the handoff)? */
export function lockReady(sys: System, task: Task, step: Lock): Readiness {
  if (step.kind !== 'rwsem') return sys.cells[step.on] === 0 ? READY : BLOCKED;
  return step.mode === 'read' ? readReady(sys, task, step.on) : writeReady(sys, task, step.on);
}

/** Join the queue; the head of the queue sets the handoff mark instead. */
export function enqueue(sys: System, task: Task, step: Lock): void {
  const { cells } = sys;
  const wanted = ticket(task, step.mode);
  if (queuedAt(cells, step.on, wanted) === 0) {
    cells[step.on + HANDOFF] = 1;
    return;
  }
  let i = 0;
  while (cells[step.on + QUEUE + i] !== 0) i++;
  if (i === MAX_WAITERS) throw new RangeError(`more than ${MAX_WAITERS} tasks wait for one lock`);
  cells[step.on + QUEUE + i] = wanted;
}

/** A reader is first in the queue: the lock is all queued readers', and with that what was promised is kept. */
function grantAllReaders(cells: Float64Array, on: Place): void {
  cells[on + HANDOFF] = 0;
  for (let i = 0; i < MAX_WAITERS && cells[on + QUEUE + i] !== 0; ) {
    const queued = cells[on + QUEUE + i]!;
    if (isWriter(queued)) i++;
    else {
      cells[on + GRANTED]! |= 1 << (queued / 2 - 1);
      cells[on + READERS]!++;
      dequeue(cells, on, i);
    }
  }
}

function takeRead(cells: Float64Array, task: Task, on: Place): void {
  if (queuedAt(cells, on, ticket(task, 'read')) >= 0) grantAllReaders(cells, on);
  if ((cells[on + GRANTED]! >> task.id) & 1) cells[on + GRANTED]! &= ~(1 << task.id);
  else {
    cells[on + READERS]!++;
    // The first reader to steal the lock lets queued readers in, if one of them is first in the queue.
    if (cells[on + QUEUE] !== 0 && !isWriter(cells[on + QUEUE]!)) grantAllReaders(cells, on);
  }
}

function takeWrite(cells: Float64Array, task: Task, on: Place): void {
  const index = queuedAt(cells, on, ticket(task, 'write'));
  if (index >= 0) dequeue(cells, on, index);
  if (index === 0) cells[on + HANDOFF] = 0;
  cells[on] = task.id + 1;
}

/** Take a lock that is READY. */
export function take(sys: System, task: Task, step: Lock | TryLock): void {
  if (step.mode === 'read') takeRead(sys.cells, task, step.on);
  else if (step.kind === 'rwsem') takeWrite(sys.cells, task, step.on);
  else sys.cells[step.on] = task.id + 1;
}

/** 1 if the lock was free and is now taken. A trylock fails while anybody holds it, queues for it, or was promised it. */
export function tryTake(sys: System, task: Task, step: TryLock): 0 | 1 {
  const { cells } = sys;
  const { on, mode } = step;
  const busy =
    cells[on] !== 0 ||
    (mode === 'write' && cells[on + READERS] !== 0) ||
    (!sys.variant.has('unfair') && (cells[on + QUEUE] !== 0 || cells[on + HANDOFF] !== 0));
  if (busy) return 0;
  take(sys, task, step);
  return 1;
}

/**
 * Let go.
 * @throws RangeError if the task cannot hold the lock: a mistake in the modelled code, not a verdict.
 */
export function release(sys: System, task: Task, step: Unlock): void {
  const { cells } = sys;
  const held =
    step.mode === 'read' ? cells[step.on + READERS]! > 0 : cells[step.on] === task.id + 1;
  if (!held)
    throw new RangeError(`${task.name} releases a lock it does not hold (${step.by ?? step.kind})`);
  if (step.mode === 'read') cells[step.on + READERS]!--;
  else cells[step.on] = 0;
}

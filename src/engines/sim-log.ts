// Events of a timed run into the event log. Lock events, which are most of some runs, are kept in arrays and appended many
// at a time; the order of rows is that of events all the same.

import { columnIndex, putAt, type Slot, slotOf } from '../events/append.js';
import { appendLockRows, type LockRows, newLockRows } from '../events/lock-rows.js';
import { addRow, type Log, putInt } from '../events/log.js';
import type { Sink, Thread } from './sim-state.js';

/** init_mm as the log writes it. */
const MM_HIGH = 0xffff8000 | 0;
const MM_LOW = 0x80a14180 | 0;

/** Tasks a run may have: the locks of the model hold 30. */
const MOST_TASKS = 1024;

const [CPU, PID, TASK] = [columnIndex('cpu'), columnIndex('pid'), columnIndex('task')];

/** Ids of texts in one dictionary, found without hashing the text twice. */
function idsOf(intern: (text: string) => number): (text: string) => number {
  const known = new Map<string, number>();
  return (text) => {
    let id = known.get(text);
    if (id === undefined) {
      id = intern(text);
      known.set(text, id);
    }
    return id;
  };
}

/** A sink that appends to `log`; stamps are whole nanoseconds from `start_ns` on. */
export function logSink(log: Log, start_ns = 0): Sink {
  const { event, task, lock_mode } = log.dicts;
  const names = idsOf(event.intern);
  const [read, write] = [lock_mode.intern('read'), lock_mode.intern('write')];
  const rows: LockRows = newLockRows(MM_HIGH, MM_LOW, MOST_TASKS);
  const tasks: number[] = [];
  /** The columns of an event's fields, as they came last. */
  const plans = new Map<string, Slot[]>();
  const meet = (t: Thread): void => {
    const id = task.intern(t.task.name);
    tasks[t.id] = id;
    rows.cpus[t.id] = t.cpu;
    rows.pids[t.id] = t.pid;
    rows.tasks[t.id] = id;
  };
  const flush = (): void => {
    if (rows.n > 0) appendLockRows(log, rows);
  };
  return {
    event(now, t, name, fields) {
      flush();
      const at = start_ns + now;
      addRow(log, Math.floor(at / 0x100000000), at | 0, names(name));
      if (tasks[t.id] === undefined) meet(t);
      putInt(log, CPU, t.cpu);
      putInt(log, PID, t.pid);
      putInt(log, TASK, tasks[t.id]!);
      let plan = plans.get(name);
      if (plan === undefined) plans.set(name, (plan = []));
      let i = 0;
      for (const key in fields) {
        let slot = plan[i];
        if (slot?.name !== key) plan[i] = slot = slotOf(key);
        putAt(log, slot, fields[key]!);
        i++;
      }
    },
    lock(now, t, name, mode, ok) {
      if (tasks[t.id] === undefined) meet(t);
      const i = rows.n++;
      rows.ts_ns[i] = start_ns + now;
      rows.events[i] = names(name);
      rows.who[i] = t.id;
      rows.modes[i] = mode === 'read' ? read : write;
      rows.ok[i] = ok === null ? -1 : ok ? 1 : 0;
      if (rows.n === rows.who.length) flush();
    },
    end: flush,
  };
}

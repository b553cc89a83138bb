// Events of a timed run into the event log.
import { appendEvent } from '../events/append.js';
import { addRow, type Log, setBool, setInt, setU64 } from '../events/log.js';
import type { Sink } from './sim-state.js';

/** init_mm as the log writes it. */
const MM_HIGH = 0xffff8000 | 0;
const MM_LOW = 0x80a14180 | 0;

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
  const tasks: number[] = [];
  return {
    event(now, t, name, fields) {
      const ts_ns = BigInt(start_ns + now);
      appendEvent(log, name, { ts_ns, cpu: t.cpu, pid: t.pid, task: t.task.name }, fields);
    },
    lock(now, t, name, mode, ok) {
      const at = start_ns + now;
      addRow(log, Math.floor(at / 0x100000000), at | 0, names(name));
      setInt(log, 'cpu', t.cpu);
      setInt(log, 'pid', t.pid);
      tasks[t.id] ??= task.intern(t.task.name);
      setInt(log, 'task', tasks[t.id]!);
      setU64(log, 'lock', MM_HIGH, MM_LOW);
      setInt(log, 'lock_mode', mode === 'read' ? read : write);
      if (ok !== null) setBool(log, 'ok', ok);
    },
  };
}

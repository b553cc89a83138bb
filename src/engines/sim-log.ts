// Events of a timed run into the event log.
import { appendEvent } from '../events/append.js';
import { addRow, type Log, setBool, setDict, setInt, setU64 } from '../events/log.js';
import type { Sink } from './sim-state.js';

/** init_mm as the log writes it. */
const MM_HIGH = 0xffff8000 | 0;
const MM_LOW = 0x80a14180 | 0;

/** A sink that appends to `log`; stamps are whole nanoseconds from `start_ns` on. */
export function logSink(log: Log, start_ns = 0): Sink {
  const high = (at: number): number => Math.floor(at / 0x100000000);
  return {
    event(now, t, name, fields) {
      const ts_ns = BigInt(start_ns + now);
      appendEvent(log, name, { ts_ns, cpu: t.cpu, pid: t.pid, task: t.task.name }, fields);
    },
    lock(now, t, name, mode, ok) {
      const at = start_ns + now;
      addRow(log, high(at), at | 0, log.dicts.event.intern(name));
      setInt(log, 'cpu', t.cpu);
      setInt(log, 'pid', t.pid);
      setDict(log, 'task', t.task.name);
      setU64(log, 'lock', MM_HIGH, MM_LOW);
      setDict(log, 'lock_mode', mode);
      if (ok !== null) setBool(log, 'ok', ok);
    },
  };
}

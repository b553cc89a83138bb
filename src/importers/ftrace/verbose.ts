import { flagText, versionOf } from '../trace-dat/flags.js';
import { addEvent } from './event.js';
import { head } from './line.js';
import { setStampWords } from './other.js';
import { endStack, type State } from './state.js';

/**
 * '     bash    4251 1 0 00000000 00000003 [58127d26] 1730.150ms (+0.000ms): event', what the latency format
 * becomes with trace_options/verbose: comm, pid, CPU, flags, preempt count, index, stamp in hexadecimal
 * microseconds, time since the start and to the next entry; of a clock that counts, ticks in all three.
 * C: kernel/trace/trace_output.c trace_print_lat_context(), lat_print_timestamp().
 */
const line =
  /^\s*(?<comm>\S(?:.{0,40}?\S)?)\s+(?<pid>\d{1,10})\s+(?<cpu>\d{1,5}) (?<flags>\d{1,3}) (?<preempt>[0-9a-f]{8}) [0-9a-f]{8,16} \[(?<stamp>[0-9a-f]{8,16})\] (?:-?\d+\.\d{3}(?<ms>ms) \(\+-?\d+\.\d{3}ms\)|-?\d+ \(\+-?\d+\)): /;

const match = (text: string): RegExpExecArray | null =>
  text.includes(' (+') ? line.exec(text) : null;

/** Is it a line of the verbose latency format? */
export const isVerbose = (text: string): boolean => match(text) !== null;

/** A line of the verbose latency format, with the stamp of the trace's clock. False if it is none. */
export function readVerbose(s: State, text: string): boolean {
  const m = match(text);
  const { comm, pid, cpu, flags, preempt, stamp, ms } = (m?.groups ?? {}) as Record<string, string>;
  if (!m || Number(pid) > 0x7fffffff || Number(cpu) > 0xffff) return false;
  const { task, flags: letters } = s.log.dicts;
  const bits = flagText(
    Number(flags),
    Number.parseInt(preempt!, 16) & 0xff,
    versionOf(s.meta.kernel, []),
  );
  Object.assign(head, { pid: Number(pid), tgid: -2, cpu: Number(cpu) });
  head.task = task.intern(comm!);
  head.flags = letters.intern(bits);
  head.body = Buffer.byteLength(m[0]);
  setStampWords(BigInt(`0x${stamp}`) * (ms === undefined ? 1n : 1000n));
  const bytes = Buffer.from(text, 'utf8');
  endStack(s);
  addEvent(s, bytes, bytes.length);
  return true;
}

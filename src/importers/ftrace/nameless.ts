import { setTextBytes, setU64 } from '../../events/log.js';
import { ascii, holds } from '../bytes.js';
import { addHead, head } from './line.js';
import { textOf } from './other.js';
import type { State } from './state.js';

const STACK = ascii('<stack trace'); // trace-cmd writes '<stack trace >'
const USER_STACK = ascii('<user stack trace');

/**
 * What tracers write without an event's name before it, and the name the kernel keeps it under
 * (kernel/trace/trace_entries.h; a blk line has none there).
 */
const forms: readonly (readonly [RegExp, string])[] = [
  [/^[A-Za-z_].* <-\S+ \(repeats: \d+, last_ts:/, 'func_repeats'],
  [/^(?:[A-Za-z_.$]|0x|[0-9a-f]{8,16}\b).* <-/, 'function'],
  [/^[A-Za-z_][\w.$]* \([A-Za-z_][\w.$+/]*\)\s*$/, 'function'], // before 2.6.30
  [/^\s*-?\d+:\s*-?\d+:\S\s+\+ \[\d+\]/, 'wakeup'],
  [/^\s*-?\d+:\s*-?\d+:\S ==> \[\d+\]/, 'context_switch'],
  [/^#\d+\s+inner\/outer\(us\):/, 'hwlat'],
  [/^#\d+\s+context\s+\S+\s+timer_latency/, 'timerlat'],
  [/^\d+\s+\d+\s+\d+\.\d{5}\s+\d+(?:\s+\d+){3,}\s*$/, 'osnoise'],
  [/^\[ (?: ok |MISS) \] \S+:\S+:\d+\s*$/, 'branch'],
  [/^\d+,\d+\s+[A-Z]\s+[A-Z]+\s|^\d+,\d+\s+m\s+N\s/, 'blk'],
  [/^# [0-9a-f]+ buf:/, 'raw_data'],
];

/** What a tracer of functions writes without options/print-parent: 'vfree+0x0/0x60 [mod](addr=0x1)'. */
const symbol =
  /^[A-Za-z_.$][\w.$]*(?:\+0x[0-9a-f]+\/0x[0-9a-f]+)?(?: \[\w+\])?(?: <[0-9a-f]{8,16}>)?(?:\([^()]*\))?\s*$/;

/** `sys_read(fd: 3, …)` or `sys_read -> 0x10`. */
function addSyscall(s: State, buf: Uint8Array, text: string): boolean {
  const { log } = s;
  const enter = /^(sys_\w+)\((.*)\)\s*$/.exec(text);
  if (enter) {
    addHead(log, buf, log.dicts.event.intern(enter[1]!.replace('sys_', 'sys_enter_')));
    return true;
  }
  const exit = /^(sys_\w+) -> (0x[0-9a-f]{1,16})\s*$/.exec(text);
  if (!exit) return false;
  addHead(log, buf, log.dicts.event.intern(exit[1]!.replace('sys_', 'sys_exit_')));
  const v = BigInt(exit[2]!);
  setU64(log, 'ret', Number(v >> 32n), Number(v & 0xffffffffn));
  return true;
}

/** Does a stack's line stand at `at`? The frames follow, a line each. */
export const isStackLine = (buf: Uint8Array, at: number, end: number): boolean =>
  holds(buf, at, end, STACK) || holds(buf, at, end, USER_STACK);

/** Append the event of a line that has no 'name: ' behind its stamp: a function, a stack, a syscall, a tracer's own. */
export function addNameless(s: State, buf: Uint8Array, end: number): void {
  const { log } = s;
  if (isStackLine(buf, head.body, end)) {
    const name = holds(buf, head.body, end, STACK) ? 'kernel_stack' : 'user_stack';
    addHead(log, buf, log.dicts.event.intern(name));
    s.frames = [];
    return;
  }
  const text = textOf(buf, head.body, end);
  const isCall = s.tracer !== null && s.tracer !== 'nop' && symbol.test(text);
  const name = isCall ? 'function' : forms.find(([form]) => form.test(text))?.[1];
  if (name !== undefined || !addSyscall(s, buf, text)) {
    addHead(log, buf, log.dicts.event.intern(name ?? 'unknown'));
  }
  if (head.body < end) setTextBytes(log, 'detail', buf, head.body, end);
}

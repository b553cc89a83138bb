import { type Log, setDict, setInt, setText, setVa } from '../../events/log.js';

/** The kernel's report of something wrong, and the event it becomes. */
const reports: readonly (readonly [RegExp, string])[] = [
  [/^BUG: sleeping function called from invalid context at (\S+)/, 'sleeping_function'],
  [/^BUG: (scheduling while atomic|using __this_cpu\S*|using smp_processor_id\S*)/, 'bug_atomic'],
  [/^BUG: (KASAN|KFENCE|KCSAN|KMSAN): .*/, 'sanitizer_report'],
  [/^(?:BUG: )?[Uu]nable to handle (?:kernel|page fault).*?([0-9a-f]{16})?$/, 'oops'],
  [/^WARNING: .*/, 'kernel_warning'],
  [/^(INFO|WARNING): .*(deadlock|lockdep|suspicious RCU|possible).*/, 'lockdep_report'],
  [/^(?:rcu: )?INFO: (?:task|rcu).*/, 'stall_report'],
];

/** The report a line begins: its event, and what its pattern caught; null if it begins none. */
export function reportOf(text: string): { name: string; found: RegExpExecArray } | null {
  for (const [pattern, name] of reports) {
    const found = pattern.exec(text);
    if (found) return { name, found };
  }
  return null;
}

/** The report being read; its event is the last row. */
export interface Report {
  open: boolean;
  /** Frames of its call trace, once that began. */
  frames: string[] | null;
  /** Is its call trace over? What the kernel adds below is still part of it. */
  traced: boolean;
}

export const newReport = (): Report => ({ open: false, frames: null, traced: false });

/** Put the stack found into the report's row. */
export function endReport(log: Log, r: Report): void {
  if (r.frames && r.frames.length > 0) setText(log, 'stack', r.frames.join('\n'));
  r.frames = null;
  r.open = r.traced = false;
}

const frame = /^\s*(?:\[<[0-9a-f]+>\]\s*)?(\? )?([A-Za-z_][\w.]*\+0x[0-9a-f]+\/0x[0-9a-f]+.*?)\s*$/;
/** Registers of x86, which stand between and behind the frames. */
const registers =
  /^(?:RIP: |RSP: |R[A-D]X: |RBP: |R\d\d: |FS: |CS: |CR2: |DR[0-7]: |PKRU: |EFLAGS: |ORIG_RAX: |Code: )/;
const context = /^\s*<\/?(?:TASK|IRQ|SOFTIRQ|NMI|#DF)>/;
const known =
  /^(in_atomic\(\)|preempt_count:|RCU nest depth:|Hardware name:|Modules linked in:|Preemption disabled at:|CPU: \d+|Tainted:|INFO: lockdep is turned off|Workqueue:|pstate:|pc :|lr :|sp :|pmr_save:|x\d+\s?:|Mem abort info:|\s+ESR|\s+EC |\s+SET |\s+EA |\s+FSC|Data abort|\s+ISV|\s+CM |\s+GCS|swapper pgtable|\[[0-9a-f]{16}\] (?:pgd|address)|Internal error|\d+ locks? held by|no locks held by| #\d+: |\[<[0-9a-f]+>\]|irq event stamp:|(?:hard|soft)irqs last|#PF: |PGD [0-9a-f]+ |Oops: )/;

/** Who it happened to, into the report's row. */
function readWho(log: Log, text: string): boolean {
  const who =
    /\bpid: (\d+), name: (.*)$/.exec(text) ?? /PID: (\d+) (?:UID: \d+ )?Comm: (\S+)/.exec(text);
  if (!who) return false;
  if (Number(who[1]) <= 0x7fffffff) setInt(log, 'pid', Number(who[1]));
  setDict(log, 'task', who[2]!.trim());
  const cpu = /\bCPU: (\d{1,4})\b/.exec(text);
  if (cpu) setInt(log, 'cpu', Number(cpu[1]));
  return true;
}

/** A line of the call trace; the first other one ends it. */
function readFrame(r: Report, text: string): boolean {
  if (r.traced) return false;
  const f = frame.exec(text);
  if (f) r.frames!.push(`${f[1] ?? ''}${f[2]}`);
  r.traced = f === null && !context.test(text);
  return !r.traced;
}

/** A line of an open report: who, where, and the frames. False if it is none. */
export function readReport(log: Log, r: Report, text: string): boolean {
  if (registers.test(text)) return true;
  if (r.frames && readFrame(r, text)) return true;
  const isEnd = /^---\[ end trace/.test(text);
  if (isEnd) endReport(log, r);
  if (isEnd || r.traced) return isEnd || /^Modules linked in:/.test(text);
  if (readWho(log, text)) return true;
  if (/^Call [Tt]race:/.test(text)) r.frames = [];
  return r.frames !== null || known.test(text);
}

/** Fill the row of the report that `text` begins. */
export function openReport(
  log: Log,
  r: Report,
  text: string,
  { name, found }: { name: string; found: RegExpExecArray },
): void {
  r.open = true;
  const ran = /\bCPU: (\d{1,4}) PID: (\d{1,9})\b/.exec(text);
  if (ran) setInt(log, 'cpu', Number(ran[1]));
  if (ran) setInt(log, 'pid', Number(ran[2]));
  const at = found[1];
  if (name === 'oops' && at && /^[0-9a-f]{16}$/.test(at)) {
    setVa(log, Number.parseInt(at.slice(0, 8), 16), Number.parseInt(at.slice(8), 16));
  } else if (name === 'sleeping_function') setDict(log, 'at', at!);
}

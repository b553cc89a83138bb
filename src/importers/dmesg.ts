import { decodeText } from '../events/dict.js';
import {
  addRow,
  type Log,
  setBool,
  setDict,
  setF64,
  setInt,
  setText,
  setVa,
} from '../events/log.js';
import type { TraceMeta } from '../events/meta.js';
import { splitLogLine } from './dmesg-stamp.js';
import type { Importer } from './importer.js';
import { eachLine } from './lines.js';

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

const summary = /^Summary: (\S+) passed: (\d+)(.*)$/;
const worker = /^All test took worker(\d+)=(\d+) cycles/;
const checked = /^Checked W\+X mappings: (\w+)/;

interface State {
  readonly log: Log;
  readonly meta: TraceMeta;
  /** Inside a report: the frames of its call trace, once it began. */
  report: boolean;
  frames: string[] | null;
  undated: number;
  /** Stamps of the wall clock, and dumps of ftrace's ring buffer. */
  wall: number;
  dumps: number;
}

/** 'passed: 1 failed: 0 loops: 1000000 avg: 955334 usec' -> value by name; older lines lack some. */
const value = (text: string, name: string): number | null => {
  const m = new RegExp(`\\b${name}: (\\d+)`).exec(text);
  return m ? Number(m[1]) : null;
};

function putSummary(log: Log, text: string, test: string): void {
  setDict(log, 'at', test);
  const loops = value(text, 'loops');
  const avg = value(text, 'avg');
  if (loops !== null) setF64(log, 'count', loops);
  if (avg !== null) setF64(log, 'duration_ns', avg * 1000);
  setBool(log, 'ok', value(text, 'failed') !== null ? value(text, 'failed') === 0 : true);
}

function endReport(s: State): void {
  if (s.frames && s.frames.length > 0) setText(s.log, 'stack', s.frames.join('\n'));
  s.frames = null;
  s.report = false;
}

/** Lines of a report: who, where, and the frames. */
function readReport(s: State, text: string): boolean {
  const { log } = s;
  if (s.frames) {
    const f =
      /^\s*(?:\[<[0-9a-f]+>\]\s*)?(\? )?([A-Za-z_][\w.]*\+0x[0-9a-f]+\/0x[0-9a-f]+.*?)\s*$/.exec(
        text,
      );
    if (f) {
      s.frames.push(`${f[1] ?? ''}${f[2]}`);
      return true;
    }
    if (/^\s*<\/?(TASK|IRQ|SOFTIRQ|NMI)>/.test(text)) return true;
    endReport(s);
    return false;
  }
  const who =
    /\bpid: (\d+), name: (.*)$/.exec(text) ?? /PID: (\d+) (?:UID: \d+ )?Comm: (\S+)/.exec(text);
  if (who) {
    if (Number(who[1]) <= 0x7fffffff) setInt(log, 'pid', Number(who[1]));
    setDict(log, 'task', who[2]!.trim());
    const cpu = /\bCPU: (\d{1,4})\b/.exec(text);
    if (cpu) setInt(log, 'cpu', Number(cpu[1]));
    return true;
  }
  if (/^Call [Tt]race:/.test(text)) {
    s.frames = [];
    return true;
  }
  if (/^---\[ end trace/.test(text)) {
    endReport(s);
    return true;
  }
  return /^(in_atomic\(\)|preempt_count:|RCU nest depth:|Hardware name:|Modules linked in:|Preemption disabled at:|CPU: \d+|Tainted:|pstate:|pc :|lr :|sp :|x\d+\s?:|Mem abort info:|\s+ESR|\s+EC |\s+SET |\s+EA |\s+FSC|Data abort|\s+ISV|\s+CM |\s+GCS|swapper pgtable|\[[0-9a-f]{16}\] (?:pgd|address)|Internal error|Code:|\d+ locks? held by|no locks held by| #\d+: |\[<[0-9a-f]+>\]|irq event stamp:|(?:hard|soft)irqs last)/.test(
    text,
  );
}

function addLine(s: State, ns: bigint | null, text: string): void {
  const { log } = s;
  endReport(s);
  const found = reports.find(([pattern]) => pattern.test(text));
  const done = summary.exec(text);
  const took = worker.exec(text);
  const name = done
    ? 'test_vmalloc_summary'
    : took
      ? 'test_vmalloc_worker'
      : checked.test(text)
        ? 'wx_check'
        : (found?.[1] ?? 'printk');
  const t = ns ?? 0n;
  if (ns === null) s.undated++;
  const event = log.dicts.event.intern(name);
  addRow(log, Number((t >> 32n) & 0xffffffffn), Number(t & 0xffffffffn), event);
  if (done) putSummary(log, text, done[1]!);
  if (took) setF64(log, 'count', Number(took[2]));
  if (found) {
    s.report = true;
    const ran = /\bCPU: (\d{1,4}) PID: (\d{1,9})\b/.exec(text);
    if (ran) setInt(log, 'cpu', Number(ran[1]));
    if (ran) setInt(log, 'pid', Number(ran[2]));
    const at = found[0].exec(text)![1];
    if (found[1] === 'oops' && at && /^[0-9a-f]{16}$/.test(at)) {
      setVa(log, Number.parseInt(at.slice(0, 8), 16), Number.parseInt(at.slice(8), 16));
    } else if (found[1] === 'sleeping_function') setDict(log, 'at', at!);
  }
  if (text !== '') setText(log, 'detail', text);
}

function readLine(s: State, line: string): void {
  const { ns, isWall, caller, text } = splitLogLine(line);
  if (s.report && readReport(s, text)) return;
  if (isWall) s.wall++;
  if (/^Dumping ftrace buffer:/.test(text)) s.dumps++;
  addLine(s, ns, text);
  if (caller?.[0] === 'T' && caller[1] <= 0x7fffffff) setInt(s.log, 'pid', caller[1]);
  if (caller?.[0] === 'C' && caller[1] <= 0xffff) setInt(s.log, 'cpu', caller[1]);
}

function notes(s: State): string[] {
  const { undated, wall, dumps } = s;
  return [
    ...(undated > 0 ? [`${undated} lines have no time stamp: 0`] : []),
    ...(wall > 0
      ? [`${wall} stamps are of the wall clock, taken as UTC where no zone is said`]
      : []),
    ...(dumps > 0 ? [`${dumps} dumps of ftrace's buffer: read them with --format ftrace`] : []),
  ];
}

/** The kernel's log: test_vmalloc's summaries, reports with their call traces, and all other lines. */
export const dmesg: Importer = {
  about: "the kernel's log (dmesg): test_vmalloc summaries, warnings with their stacks",
  sniff(bytes) {
    const lines = Buffer.from(bytes).toString('latin1').split('\n').slice(0, 200);
    const given = lines.filter((l) => l.trim() !== '');
    if (given.some((l) => summary.test(l) || worker.test(l))) return true;
    return (
      given.length > 0 && given.filter((l) => splitLogLine(l).ns !== null).length * 2 > given.length
    );
  },
  async read(input, log, meta) {
    const s: State = { log, meta, report: false, frames: null, undated: 0, wall: 0, dumps: 0 };
    await eachLine(input.chunks(), (buf, start, end) => {
      const text = decodeText(buf.subarray(start, Math.min(end, start + 8192)));
      if (text.trim() !== '') readLine(s, text);
    });
    endReport(s);
    meta.notes.push(...notes(s));
  },
};

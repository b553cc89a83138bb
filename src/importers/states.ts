/** Files of a kernel and its tools that hold no events: how they begin, what they are and what to do with them. */
const files: readonly (readonly [RegExp, string])[] = [
  [
    /^0x([0-9a-f]{8,16}|\(____ptrval____\))-0x\S+\s+\d+ /,
    '/proc/vmallocinfo, a list of areas and no trace: give it to ptlab run or predict with --from-vmallocinfo',
  ],
  [
    /^(---\[ .+ \]---|0x[0-9a-f]{16}-0x[0-9a-f]{16}\s+\d+[BKMGTPE] (PGD|P4D|PUD|PMD|PTE))/,
    'a kernel_page_tables dump and no trace: ptlab stale counts the tables left behind in it',
  ],
  [/^# event histogram/, 'a histogram of ftrace (events/*/hist), which holds sums and no events: record the event itself'],
  [/^\s*Function\s+Hit(\s+Time|\s*$)/m, "a profile of ftrace (trace_stat/function*), which holds sums and no events: record with the function_graph tracer"],
  [/^\s*Depth\s+Size\s+Location/, "ftrace's stack_trace, the deepest stack and no trace"],
  [/^\S+ \(\d+\)[ \t]*([RIDMO] ?)*(\ttramp: .*)?$/m, "ftrace's enabled_functions, a list of functions and no trace"],
  [/^lock_stat version/, '/proc/lock_stat, which holds sums and no events: record the events of lock:* instead'],
  [/^(p|r\d*|f|t|e)\d*:[\w-]+\/\S+ \S+/, 'a list of probes (kprobe_events), and no trace'],
  [/^name: \w+\nID: \d+\nformat:/, "an event's format file, and no trace"],
  [/^[a-z0-9_-]+:\w+\r?\n[a-z0-9_-]+:\w+\r?$/m, 'a list of events (available_events, set_event), and no trace'],
  [/^entries: \d+\noverrun: \d+\ncommit overrun:/m, "the counts of a CPU's buffer (per_cpu/*/stats), and no trace"],
  [/^\s*\d+,\d+\s+\d+\s+\d+\s+\d+\.\d{9}\s+\d+\s+[A-Z]/, 'text of blkparse: record the events block:* and ptlab reads them'],
  [/^(version = \d+\s+|CPU \d+ is empty\s+)*cpus=\d+\s*$/, 'a report of trace-cmd without an event'],
  [/^# RTLA /, 'a report of rtla, which holds sums and no events: rtla -t keeps the trace, which ptlab reads'],
  [/^(cpus=\d+\n)?task: .*-\d+\n\s+Event: /, 'trace-cmd profile or report --profile, which holds sums and no events: run trace-cmd report without --profile'],
  [/^\{"type": "(attached_probes|map|hist|stats|printf|time)"/m, "bpftrace's JSON: run bpftrace without -f json"],
  [/^\s*(\{\s*"dmesg"\s*:|\{\s*"_?_?[A-Z_]+"\s*:|__CURSOR=)/, "the kernel's log in JSON or journalctl's export: let dmesg or journalctl write plain text, e.g. journalctl -k -o short-monotonic"],
  [/^# (Total Lost Samples|Samples: \S+ +of events?|Overhead +Command)/m, 'perf report, which holds sums and no events: run perf script'],
  [/^ Performance counter stats for/m, 'perf stat, which holds sums and no events: perf record and perf script give a trace'],
  [/^ +\d+\.\d{3} \( *(\d+\.\d+ ms)? *\): /m, 'perf trace: record with perf trace record, and run perf script'],
  [/^ +Name +acquired +contended/, 'perf lock report, which holds sums and no events: run perf script on the same perf.data'],
  [/^ *contended +total wait +max wait/, 'perf lock contention, which holds sums and no events: perf lock record and perf script give a trace'],
  [/^[0-9a-f]{8,16} \S+(\+0x[0-9a-f]+)? \(.*\)\r?\n[0-9a-f]{8,16} /, 'perf script without comm and time: leave these columns in with -F comm,tid,cpu,time,event,trace'],
  [/^va_start: \d+ size=\d+ |^va_start=0x[0-9a-f]+ nr_lazy/m, 'the text of events without their names and times (perf script -F trace): add -F comm,tid,cpu,time,event,trace'],
  [/^\S+;\S.* \d+\r?\n\S+;\S.* \d+\r?$/m, 'folded stacks, which hold sums and no events: give ptlab the text of perf script they were made from'],
  [/<script id="viewer-data"/, 'a page of trace2html, which keeps its trace packed: give ptlab the trace it was made from'],
]; // biome-ignore format: a table

/** How a line looks in dumps of page tables of other architectures than arm64. */
const others: readonly (readonly [RegExp, string])[] = [
  [/^0x[0-9a-f]{16}-0x[0-9a-f]{16} .*\b(pgd|p4d|pud|pmd|pte)\s*$/m, 'x86'],
  [/^0x[0-9a-f]{16}-0x[0-9a-f]{16} +0x[0-9a-f]{16} /m, 'riscv or powerpc'],
  [/^0x[0-9a-f]{8}-0x[0-9a-f]{8}\s+\d+[KMGTPE] +/m, '32 bits'],
];

/** The architecture whose page tables the text dumps, if it is not arm64; else null. */
export const otherTables = (text: string): string | null =>
  others.find(([form]) => form.test(text))?.[1] ?? null;

/**
 * What a file that begins so is, and what to do; null if nothing is known of it. `anywhere`: nothing else reads it,
 * so that a sign further on will do.
 */
export function stateOf(text: string, anywhere: boolean): string | null {
  const found =
    files.find(([form]) => (anywhere || !form.multiline) && form.test(text))?.[1] ?? null;
  const other = found?.startsWith('a kernel_page_tables') ? otherTables(text) : null;
  return other === null
    ? found
    : `a dump of page tables of another architecture (${other}); ptlab stale knows arm64's kernel_page_tables alone`;
}

// What a file is that holds no events, or that must be changed before it is read.
import { expect, test } from 'vitest';
import { choose } from '../../src/importers/choose.js';
import { FormatError } from '../../src/importers/importer.js';
import { readBytes, readFtrace } from '../traces.js';

const bytes = (text: string) => Buffer.from(text, 'latin1');
const refusal = (text: string): string => {
  try {
    return choose('x', bytes(text))[0];
  } catch (e) {
    expect(e).toBeInstanceOf(FormatError);
    return (e as Error).message;
  }
};

const states: [string, RegExp][] = [
  ['0xffff800080000000-0xffff800080005000   20480 f+0x68/0xf0 pages=4 vmalloc N0=4\n', /vmallocinfo.*--from-vmallocinfo/],
  ['0x(____ptrval____)-0x(____ptrval____)   20480 f+0x68/0xf0 pages=4 vmalloc\n', /vmallocinfo/],
  ['---[ vmalloc() area ]---\n0xffff800080000000-0xffff800080001000           4K PTE\n', /kernel_page_tables.*ptlab stale/],
  ['---[ User Space ]---\n0x0000000000000000-0xffff800000000000   16777088T                               pgd\n', /another architecture \(x86\)/],
  ['---[ vmalloc() area ]---\n0xff20000000000000-0xff20000000001000    0x0000000080a00000         4K PTE     D A G\n', /architecture \(riscv or powerpc\)/],
  ['# event histogram\n#\n# trigger info: hist:keys=call_site [active]\n#\n\n{ call_site: [ffff] f+0x6c } hitcount: 4\n', /histogram of ftrace/],
  ['  Function                               Hit    Time            Avg             s^2\n  --------\n  schedule  3  12.345 us     4.115 us     0.001 us\n', /trace_stat/],
  ['        Depth    Size   Location    (18 entries)\n        -----    ----   --------\n  0)     2928     224   f+0xbc/0x4ac\n', /stack_trace/],
  ['vfree (1) R   \ttramp: ftrace_regs_caller+0x0/0x65 (call_direct_funcs+0x0/0x20)\nschedule (1)\n', /enabled_functions/],
  ['lock_stat version 0.4\n-----\n', /lock_stat/],
  ['p:vh/vmalloc_range __vmalloc_node_range size=$arg1:x64\n', /list of probes/],
  ['name: alloc_vmap_area\nID: 614\nformat:\n', /format file/],
  ['vmalloc:alloc_vmap_area\nsched:sched_switch\n', /list of events/],
  ['CPU: 0\nentries: 10\noverrun: 0\ncommit overrun: 0\n', /counts of a CPU's buffer/],
  ['  8,0    1        1     0.000000000   697  G   W 223490 + 8 [kjournald]\n', /blkparse/],
  ['# RTLA timerlat histogram\n', /rtla/],
  ['{"type": "attached_probes", "data": {"probes": 2}}\n{"type": "map", "data": {"@": 12}}\n', /without -f json/],
  ['{ "__CURSOR" : "s=1", "MESSAGE" : "x" }\n', /in JSON/],
  ['{\n   "dmesg": [\n', /in JSON/],
  ['# To display the perf.data header info\n#\n# Total Lost Samples: 0\n', /perf report/],
  ["# started on Thu\n\n Performance counter stats for 'sleep 1':\n", /perf stat/],
  ['     0.000 ( 0.010 ms): sh/1312 openat(dfd: CWD)    = 3\n', /perf trace/],
  ['                Name   acquired  contended     avg wait\n', /perf lock report/],
  [' contended   total wait     max wait     avg wait         type   caller\n', /perf lock contention/],
  ['ffffffff81060abc f+0x4 ([kernel.kallsyms])\nffffffff81060abc f+0x4 ([kernel.kallsyms])\n', /without comm and time/],
  ['va_start: 18446683600597962752 size=1052672 align=4096\n', /-F trace/],
  ['sh;main;foo 12\nsh;main;bar 3\n', /folded stacks/],
  ['<!DOCTYPE html>\n<script id="viewer-data" type="text/plain">\nH4sI\n', /trace2html/],
  ['From: a@b.c\nContent-Transfer-Encoding: base64\n\nICAgIA==\n', /base64 \(said at byte 12\)/],
  ['# tracer: nop\r#\r  sh-1 [000] 1.0: e: x\r', /carriage return alone \(the first at byte 13\).*tr '\\r' '\\n'/],
]; // biome-ignore format: a table

test.each(states)('%j is refused by what it is', (text, message) => {
  expect(refusal(text)).toMatch(message);
});

test('a trace is a trace whatever stands in it', () => {
  const event = '          <idle>-0       [001] d..1.     0.813631: cpu_idle: state=1\n';
  for (const [text] of states) {
    if (text.includes('\r') || text.startsWith('#') || text.startsWith('---') || text.startsWith('0x')) continue;
    if (/^(\{|lock_stat|p:|name|From| +Depth| +8,0| +Name| contended|<!DOCTYPE)/.test(text)) continue;
    expect(refusal(event + text), text).toBe('ftrace');
  }
  expect(refusal(`Look at enabled_functions:\nvfree (1)\n\n${event}`)).toBe('ftrace');
}); // biome-ignore format: long lines

const tracer = '# tracer: function\n#\n# entries-in-buffer/entries-written: 3/3   #P:2\n#\n';
test.each([
  ['vfree <-foo\n', /line 5, byte 71 on: .*context-info was off.*echo 1 > options\/context-info/],
  ['sched_wakeup: comm=a pid=1\n', /context-info was off/],
  ['123 0 1686193682000 ffffffff81000000 ffffffff81000010\n', /options\/raw/],
  ['0000007b00000000 00000189c0f1e2a3 ffffffff81000000\n', /options\/hex/],
  ['{\0\0\0\0\x01\x02\n', /options\/bin/],
  [
    '  8,0    1        1     0.000000000   697  G   W 223490 + 8 [kjournald]\n',
    /options\/blk_classic/,
  ],
])('ftrace text of %j names the option that made it', async (text, message) => {
  await expect(readFtrace(tracer + text)).rejects.toThrow(message);
});

test('empty traces, snapshots and scripts of bpftrace are called so', async () => {
  const none = '# tracer: nop\n#\n# entries-in-buffer/entries-written: 0/0   #P:2\n#\n';
  await expect(readFtrace(none)).rejects.toThrow(/empty trace: its header states 0 events/);
  const freed = '# tracer: nop\n#\n#\n# * Snapshot is freed *\n#\n';
  await expect(readFtrace(freed)).rejects.toThrow(/empty snapshot/);
  const free = bytes('Attaching 1 probe...\nalloc 0xffff8000 4096\n');
  await expect(readBytes('bpftrace', free)).rejects.toThrow(/its printf writes is free text/);
});

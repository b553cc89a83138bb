// Text of perf script in the sets of fields that people use.
import { expect, test } from 'vitest';
import { choose } from '../../src/importers/choose.js';
import { readBytes, rowsOf, totals } from '../traces.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (...lines: string[]) => {
  const content = bytes(`${lines.join('\n')}\n`);
  expect(choose('x', content)[0]).toBe('perf-script');
  return readBytes('perf-script', content);
};
const pick = (list: Record<string, unknown>[], ...names: string[]) =>
  list.map((r) => names.map((n) => r[n]));

test('--show-mmap-events, --show-task-events, --show-switch-events, --show-lost-events', async () => {
  const trace = await read(
    '       perf-exec    1312 [001]     0.000000: PERF_RECORD_MMAP -1/0: [0xffffffff81000000(0x1000) @ 0]: x [kernel.kallsyms]_text',
    '            perf    1312 [001]  2001.531230: PERF_RECORD_COMM: perf:1312/1312',
    '            perf    1312 [001]  2001.531230: PERF_RECORD_COMM exec: sh:1312/1312',
    '              sh    1312 [001]  2001.531231: PERF_RECORD_MMAP2 1312/1312: [0x400000(0x1000) @ 0 fd:01 1234 0]: r-xp /usr/bin/sh',
    '              sh    1312 [001]  2001.531232: PERF_RECORD_FORK(1312:1312):(1311:1311)',
    '              sh    1312 [001]  2001.531233:     250000 cycles:P:  ffffffff81060abc native_write_msr+0x4 ([kernel.kallsyms])',
    '              sh    1312 [000]  2001.531234: PERF_RECORD_SWITCH_CPU_WIDE OUT preempt  next pid/tid:     0/0    ',
    '              sh    1312 [001]  2001.531236: PERF_RECORD_LOST lost 12',
    '              sh    1312 [001]  2001.531236: PERF_RECORD_LOST_SAMPLES lost 3',
    '              sh    1312 [001]  2001.531238: PERF_RECORD_THROTTLE',
  );
  expect(totals(trace)).toEqual({
    events: 8,
    first: 0,
    last: 2001531238000,
    per_event: {
      PERF_RECORD_COMM: 2, PERF_RECORD_FORK: 1, PERF_RECORD_MMAP: 1, PERF_RECORD_MMAP2: 1,
      PERF_RECORD_SWITCH_CPU_WIDE: 1, PERF_RECORD_THROTTLE: 1, 'cycles:P': 1,
    },
    per_cpu: { 0: 1, 1: 7 },
    lost: 15,
    unparsed: 0,
  });
  expect(trace.meta.lost_per_cpu).toEqual({ 1: 15 });
  expect(rowsOf(trace)[3]).toMatchObject({ detail: '1312/1312: [0x400000(0x1000) @ 0 fd:01 1234 0]: r-xp /usr/bin/sh' });
}); // biome-ignore format: long lines

test('+misc, +insn, +srcline, unknown threads, chains below a sample without an event', async () => {
  const trace = await read(
    '         unshare    1312/1313    [001] K      2001.531233: vmalloc:free_vmap_area_noflush: va_start=0x1000 nr_lazy=1 nr_lazy_max=2',
    '         unshare    1312/1313    [001] d..2.  2001.531234: sched:sched_switch: prev_comm=a',
    '             :-1      -1 [002]  2001.531235:          1     kmem:kfree: ptr=0x1',
    '              sh    1312 [001]  2001.531236:     250000 cycles:P:  ffffffff81060abc native_write_msr+0x4 ([kernel.kallsyms]) insn: 0f 30',
    'sh    1312 [001]  2001.531237:     250000 cpu_core/cycles/: ',
    '\tffffffff81060abc native_write_msr+0x4 ([kernel.kallsyms])',
    '  msr.h:105',
    '\t    7f00abcd1234 main+0x10 (/usr/bin/sh)',
    '',
    'sh    1312 [003]  2001.531238: ',
    '\tffffffff81060abc native_write_msr+0x4 ([kernel.kallsyms])',
  );
  expect(pick(rowsOf(trace), 'event', 'task', 'pid', 'cpu', 'flags', 'at', 'stack')).toEqual([
    ['free_vmap_area_noflush', 'unshare', 1313, 1, undefined, undefined, undefined],
    ['sched_switch', 'unshare', 1313, 1, 'd..2.', undefined, undefined],
    ['kfree', ':-1', -1, 2, undefined, undefined, undefined],
    ['cycles:P', 'sh', 1312, 1, undefined, 'native_write_msr+0x4', undefined],
    ['cpu_core/cycles/', 'sh', 1312, 1, undefined, undefined, 'native_write_msr+0x4 ([kernel.kallsyms]) msr.h:105\nmain+0x10 (/usr/bin/sh)'],
    ['sample', 'sh', 1312, 3, undefined, undefined, 'native_write_msr+0x4 ([kernel.kallsyms])'],
  ]);
  expect(rowsOf(trace)[2]).toMatchObject({ detail: 'ptr=0x1' });
  expect(totals(trace)).toMatchObject({ first: 2001531233000, last: 2001531238000, unparsed: 0 });
}); // biome-ignore format: long lines

test('prints and marks have the names they have in ftrace; their rest stays a line of its own', async () => {
  const trace = await read(
    '              sh    1312 [001]  2001.531233: ftrace:print: tracing_mark_write: MARK wl_begin',
    'and more of it',
    '              sh    1312 [001]  2001.531235: ftrace:bprint: vmix_run+0x8: vmix op=huge',
    '              sh    1312 [001]  2001.531236: ftrace:print: 0xffff800078ae040c: vmix op=free',
  );
  expect(pick(rowsOf(trace), 'event', 'at', 'detail')).toEqual([
    ['tracing_mark_write', undefined, 'MARK wl_begin'],
    ['print', 'vmix_run+0x8', 'vmix op=huge'],
    ['print', '0xffff800078ae040c', 'vmix op=free'],
  ]);
  expect(trace.meta.unparsed).toMatchObject({ lines: 1, samples: [{ line: 2, text: 'and more of it' }] });
}); // biome-ignore format: long lines

test('without CPU, stamp and period a tracepoint is known by its system', async () => {
  const trace = await read(
    '         unshare    1312  vmalloc:free_vmap_area_noflush: va_start=0x1000 nr_lazy=1 nr_lazy_max=2',
    '         unshare    1312  sched:sched_switch: prev_comm=a',
  );
  expect(pick(rowsOf(trace), 'event', 'pid')).toEqual([
    ['free_vmap_area_noflush', 1312],
    ['sched_switch', 1312],
  ]);
  expect(trace.meta.notes.join()).toMatch(/2 samples have no time stamp/);
});

test('a number before the stamp is a thread or the end of a comm, as its column says', async () => {
  const comm = await read(
    '       worker 12  5847.567603: page-faults: ',
    '          worker  5847.567604: page-faults: ',
    ' worker 1234567 8  5847.567605: page-faults: ', // 17 wide: the line before decides
  );
  expect(pick(rowsOf(comm), 'task', 'pid')).toEqual([
    ['worker 12', undefined],
    ['worker', undefined],
    ['worker 1234567 8', undefined],
  ]);
  const thread = await read(
    '       worker 12     926  5847.567603: page-faults: ',
    'kthreadd       2  5847.567604: page-faults: ',
    'a     7  5847.567604: page-faults: ',
  );
  expect(pick(rowsOf(thread), 'task', 'pid')).toEqual([
    ['worker 12', 926],
    ['kthreadd', 2],
    ['a', 7],
  ]);
  expect(thread.meta.notes).toEqual([]);
  const either = await read('worker 12 5847.567603: page-faults: ');
  expect(pick(rowsOf(either), 'task', 'pid')).toEqual([['worker', 12]]);
  expect(either.meta.notes.join()).toMatch(/1 numbers behind a comm are taken as its thread/);
});

test('forced on text of ftrace it says so; a comm that ends so among others is read', async () => {
  const ftrace = [
    '# tracer: nop',
    '          insmod-123     [000] .....    12.000001: sched_wakeup: comm=a',
    '          <idle>-0       (-------) [001] d..1.    12.000002: sched_wakeup: comm=a',
  ].join('\n');
  await expect(readBytes('perf-script', bytes(ftrace))).rejects.toThrow(
    /text of ftrace and not of perf script \(line 2, byte 14\): read it with --format ftrace/,
  );
  const mixed = await readBytes(
    'perf-script',
    bytes(
      '      my-task-12 [000]  5847.567603: page-faults: \n' +
        '          worker [001]  5847.567604: page-faults: \n',
    ),
  );
  expect(totals(mixed)).toMatchObject({ events: 2, per_cpu: { 0: 1, 1: 1 } });
});

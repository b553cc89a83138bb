import { expect, test } from 'vitest';
import { choose } from '../../src/importers/choose.js';
import { readBytes, rowsOf } from '../traces.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = async (format: string, ...lines: string[]) => {
  const content = bytes(`${lines.join('\n')}\n`);
  expect(choose('x', content)[0]).toBe(format);
  return readBytes(format, content);
};
const pick = (list: Record<string, unknown>[], ...names: string[]) =>
  list.map((r) => names.map((n) => r[n]));

test('perf script: tracepoints, samples, call chains, missing fields', async () => {
  const trace = await read(
    'perf-script',
    '# os release : 6.12.1',
    '# nrcpus online : 8',
    '         unshare  1312 [001]  2001.531233: vmalloc:alloc_vmap_area: va_start: 18446683600597962752 size=1052672 align=4096 vstart=0xffffc90000000000 vend=0xffffe8ffffffffff failed=0',
    'my prog 12  3/4 [002] 5.123456789:     250000 cycles:ppp: ',
    '\tffffffff81060 native_write_msr+0x4 ([kernel.kallsyms])',
    '\t    7f00 [unknown] (/lib/libc.so)',
    '',
    'swapper     0 [000] 6.000000:     sched:sched_switch: prev_comm=a prev_pid=1',
    'nocpu 77 7.500000: cpu-clock: ',
    'swapper 0 [003] 8.0: PERF_RECORD_LOST lost 9',
  );
  const list = rowsOf(trace);
  expect(pick(list, 'event', 'task', 'pid', 'tgid', 'cpu', 'ts_ns')).toEqual([
    ['alloc_vmap_area', 'unshare', 1312, undefined, 1, 2001531233000n],
    ['cycles:ppp', 'my prog 12', 4, 3, 2, 5123456789n],
    ['sched_switch', 'swapper', 0, undefined, 0, 6000000000n],
    ['cpu-clock', 'nocpu', 77, undefined, undefined, 7500000000n],
  ]);
  expect(list[0]).toMatchObject({ va: 18446683600597962752n, size_bytes: 1052672, ok: true });
  expect(list[1]).toMatchObject({
    detail: 'period=250000',
    stack: 'native_write_msr+0x4 ([kernel.kallsyms])\n7f00 [unknown] (/lib/libc.so)',
  });
  expect(list[2]).toMatchObject({ detail: 'prev_comm=a prev_pid=1' });
  expect(trace.meta).toMatchObject({ kernel: '6.12.1', cpus: 8, lost: 9, unparsed: { lines: 0 } });
});

test('perf script -F: without thread, comm, CPU or symbol, and periods of four to six digits', async () => {
  const sets: [string, Record<string, unknown>][] = [
    ['  926 [000]  5847.567603: page-faults: ', { pid: 926, cpu: 0, ts_ns: 5847567603000n }],
    ['  926/927    5847.567603: page-faults: ', { pid: 927, tgid: 926 }],
    [' 5847.567603: page-faults: ', { ts_ns: 5847567603000n }],
    ['[003]  5847.567603: page-faults: ', { cpu: 3 }],
    ['         my prog  5847.567603: page-faults: ', { task: 'my prog' }],
    [
      '      my prog 12   926     250000        page-faults: ',
      { pid: 926, detail: 'period=250000' },
    ],
  ];
  for (const [line, wanted] of sets) {
    const lines = [line, '\tffffffff821f94c3', '\t            7f12 main+0x1 (/bin/a b)', '', line];
    const trace = await read('perf-script', ...lines);
    const list = rowsOf(trace);
    expect(trace.meta.unparsed.lines, line).toBe(0);
    expect(list.length, line).toBe(2);
    const stack = 'ffffffff821f94c3\nmain+0x1 (/bin/a b)';
    expect(list[0], line).toMatchObject({ event: 'page-faults', stack, ...wanted });
  }
});

test('dmesg: summaries old and new, sleeping functions with their stacks, other lines kept', async () => {
  const trace = await read(
    'dmesg',
    '[   15.823704] Summary: fix_size_alloc_test passed: 1 failed: 0 xfailed: 0 repeat: 1 loops: 1000000 avg: 955334 usec',
    '[   15.823705] Summary: full_fit_alloc_test passed: 1 loops: 10 avg: 7 usec',
    '[   15.9] All test took worker0=123456 cycles',
    '[   16.000001][  T123] BUG: sleeping function called from invalid context at kernel/locking/rwsem.c:1578',
    '[   16.000002][  T123] in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 123, name: insmod',
    '[   16.000003][  T123] preempt_count: 1, expected: 0',
    '[   16.000004][  T123] Call trace:',
    '[   16.000005][  T123]  dump_backtrace+0x98/0xf8',
    '[   16.000006][  T123]  vmap_range_noflush+0x10/0x20 [vmix]',
    '[   17.000000] eth0: link up',
  );
  const list = rowsOf(trace);
  expect(pick(list, 'event', 'at', 'count', 'duration_ns', 'ok')).toEqual([
    ['test_vmalloc_summary', 'fix_size_alloc_test', 1000000, 955334000, true],
    ['test_vmalloc_summary', 'full_fit_alloc_test', 10, 7000, true],
    ['test_vmalloc_worker', undefined, 123456, undefined, undefined],
    ['sleeping_function', 'kernel/locking/rwsem.c:1578', undefined, undefined, undefined],
    ['printk', undefined, undefined, undefined, undefined],
  ]);
  expect(list[3]).toMatchObject({
    pid: 123,
    task: 'insmod',
    stack: 'dump_backtrace+0x98/0xf8\nvmap_range_noflush+0x10/0x20 [vmix]',
    ts_ns: 16000001000n,
  });
  expect(list[4]).toMatchObject({ detail: 'eth0: link up' });
});

test('dmesg -T, -x and iso, syslog, journalctl: stamps of the wall clock, or those behind them', async () => {
  const day = BigInt(Date.UTC(2025, 5, 11, 15, 12, 34)) * 1_000_000n;
  const lines: [string, bigint][] = [
    ['[Wed Jun 11 15:12:34 2025] eth0: up', day],
    ['2025-06-11T17:12:34,123456+02:00 eth0: up', day + 123_456_000n],
    ['2025-06-11T17:12:34+0200 host kernel: eth0: up', day],
    [
      'Jun 11 15:12:34 host kernel: eth0: up',
      BigInt(Date.UTC(1970, 5, 11, 15, 12, 34)) * 1_000_000n,
    ],
    ['Jun  1 15:12:34 host kernel: [   12.345678] eth0: up', 12_345_678_000n],
    ['[   12.345678] host kernel: eth0: up', 12_345_678_000n],
    ['kern  :warn  : [   12.345678] eth0: up', 12_345_678_000n],
  ];
  for (const [line, ts_ns] of lines) {
    const trace = await read('dmesg', line);
    expect(rowsOf(trace), line).toMatchObject([{ event: 'printk', ts_ns, detail: 'eth0: up' }]);
  }
});

test('dmesg: what lockdep writes into a report does not end it', async () => {
  const trace = await read(
    'dmesg',
    '[   16.000001] BUG: sleeping function called from invalid context at mm/vmalloc.c:1',
    '[   16.000002] in_atomic(): 1, irqs_disabled(): 128, non_block: 0, pid: 123, name: test worker',
    '[   16.000003] 1 lock held by insmod/123:',
    '[   16.000003]  #0: ffff8000 (&mm->mmap_lock){++++}-{3:3}, at: foo+0x10/0x20',
    '[   16.000003] Preemption disabled at:',
    '[   16.000003] [<ffff800080012345>] foo+0x10/0x20',
    '[   16.000004] CPU: 1 UID: 0 PID: 123 Comm: insmod Tainted: G        W',
    '[   16.000004] Call trace:',
    '[   16.000005]  dump_backtrace+0x98/0xf8 (P)',
    '[   17.000000] WARNING: CPU: 0 PID: 7 at mm/vmalloc.c:100 foo+0x10/0x20',
    '[   18.000000] rcu: INFO: rcu_preempt self-detected stall on CPU',
  );
  const list = rowsOf(trace);
  expect(pick(list, 'event', 'cpu', 'pid', 'stack')).toEqual([
    ['sleeping_function', 1, 123, 'dump_backtrace+0x98/0xf8 (P)'],
    ['kernel_warning', 0, 7, undefined],
    ['stall_report', undefined, undefined, undefined],
  ]);
});

test('summaries without any prefix', async () => {
  const trace = await read(
    'dmesg',
    'Summary: long_busy_list_alloc_test passed: 1 failed: 2 repeat: 1 loops: 5 avg: 12 usec',
  );
  expect(rowsOf(trace)).toMatchObject([{ ok: false, count: 5, duration_ns: 12000 }]);
});

test('bpftrace: counts, histograms, stacks as keys', async () => {
  const trace = await read(
    'bpftrace',
    'Attaching 3 probes...',
    '^C',
    '',
    '@huge[insmod]: 12',
    '@rate: 3',
    '@ms: ',
    '[1]                    1 |@@                |',
    '[2, 4)                50 |@@@@@@@@@@@@@@@@@@|',
    '@ov[',
    '    pmd_free_pte_page+1',
    '    vmap_range+2',
    ', insmod]: 5',
    '@s: count 5, average 20, total 100',
    'Lost 4 events',
    'what?',
  );
  expect(pick(rowsOf(trace), 'event', 'count', 'detail', 'stack')).toEqual([
    ['@huge', 12, 'key=insmod', undefined],
    ['@rate', 3, undefined, undefined],
    ['@ms', 1, 'range=[1]', undefined],
    ['@ms', 50, 'range=[2, 4)', undefined],
    ['@ov', 5, 'key=insmod', 'pmd_free_pte_page+1\nvmap_range+2'],
    ['@s', 5, 'value=count 5, average 20, total 100', undefined],
  ]);
  expect(trace.meta).toMatchObject({ lost: 4, unparsed: { lines: 1 } });
});

test('CSV with quotes, other columns and bad cells', async () => {
  const trace = await read(
    'csv',
    'event,ts_ns,va,cpu,mine,detail',
    'a,5,0xffff800082000000,1,x,"one, ""two""',
    'three"',
    'b,-7,18446603338402234368,999999,,',
    'c,oops,,,,',
  );
  const list = rowsOf(trace);
  expect(pick(list, 'event', 'ts_ns', 'va', 'cpu', 'detail')).toEqual([
    ['a', 5n, 0xffff800082000000n, 1, 'one, "two"\nthree'],
    ['b', -7n, 18446603338402234368n, undefined, undefined],
  ]);
  expect(trace.meta.unparsed).toMatchObject({ lines: 1, samples: [{ line: 5 }] });
  expect(trace.meta.notes.join('; ')).toMatch(/left out: mine; cpu: 1 values do not fit/);
});

test('UTF-16 says how to convert it', () => {
  for (const [first, text] of [
    [0xfeff, '# tracer'],
    [0x23, ' tracer: nop'],
  ] as const) {
    const le = Buffer.from(String.fromCharCode(first) + text, 'utf16le');
    for (const b of [le, Buffer.from(le).swap16()]) expect(() => choose('x', b)).toThrow(/iconv/);
  }
});

test('an unknown file says what it begins with and what is known', () => {
  expect(() => choose('x.bin', Uint8Array.of(1, 2, 3))).toThrow(
    /x\.bin: no format known.*trace-dat/s,
  );
  expect(() => choose('x', bytes('a'), 'nope')).toThrow(/unknown format 'nope'. Known: .*ftrace/);
});

test('bpftrace: stacks as values and as keys of histograms, linear buckets, in a mail', async () => {
  const trace = await read(
    'bpftrace',
    'Hello,',
    '> Attached 3 probes',
    '> 12:00:01',
    '> @last: ',
    '>     vfree+1',
    '>     foo+2',
    '> ',
    '> @lin: ',
    '> (..., -10)             1 |                        |',
    '> [-10, 0)               3 |@@@@                    |',
    '> [10, ...)              2 |                        |',
    '> @pow[insmod, (1, 2)]: ',
    '> [512, 1K)              5 |@@@@@@@@@@@@@@@@@@|',
    '> [1M, 2M)               6 |@@@@@@@@@@@@@@@@@@|',
    '> @by[',
    '>     vfree+1',
    '> , insmod, 12]: ',
    '> [1]                    7 |@@                |',
    '> @n["]: 1"]: -4',
  );
  expect(pick(rowsOf(trace), 'event', 'count', 'detail', 'stack')).toEqual([
    ['@last', undefined, undefined, 'vfree+1\nfoo+2'],
    ['@lin', 1, 'range=(..., -10)', undefined],
    ['@lin', 3, 'range=[-10, 0)', undefined],
    ['@lin', 2, 'range=[10, ...)', undefined],
    ['@pow', 5, 'key=insmod, (1, 2) range=[512, 1K)', undefined],
    ['@pow', 6, 'key=insmod, (1, 2) range=[1M, 2M)', undefined],
    ['@by', 7, 'key=insmod, 12 range=[1]', 'vfree+1'],
    ['@n', -4, 'key="]: 1"', undefined],
  ]);
  expect(trace.meta.unparsed).toMatchObject({ lines: 1, samples: [{ line: 1, text: 'Hello,' }] });
  await read('bpftrace', '@[', '    vfree+1', ']: 12');
});

import { expect, test } from 'vitest';
import { importers } from '../../src/importers/index.js';
import { readFtrace, rowsOf, totals } from '../traces.js';

const read = async (...lines: string[]) => {
  const text = `${lines.join('\n')}\n`;
  expect(importers.ftrace.sniff(new TextEncoder().encode(text))).toBe(true);
  const trace = await readFtrace(text);
  return { meta: trace.meta, rows: rowsOf(trace), totals: totals(trace) };
};
const pick = (list: Record<string, unknown>[], ...names: string[]) =>
  list.map((r) => names.map((n) => r[n]));
const head = '              sh-1       [000] .....     1.000000: ';

test('losses with and without a number', async () => {
  const { meta } = await read(
    `${head}e: x`,
    'CPU:1 [LOST EVENTS]',
    `${head}e: x`,
    'CPU:0 [LOST 5 EVENTS]',
    'CPU:2 [EVENTS DROPPED]',
    'CPU:3 [7 EVENTS DROPPED]',
  );
  expect(meta.gaps).toEqual([
    { cpu: 1, seq: 1, lost: null },
    { cpu: 0, seq: 2, lost: 5 },
    { cpu: 2, seq: 2, lost: null },
    { cpu: 3, seq: 2, lost: 7 },
  ]);
  expect(meta).toMatchObject({ lost: 12, lost_per_cpu: { 0: 5, 3: 7 }, unparsed: { lines: 0 } });
});

test('what tracers write without a name is known by its form', async () => {
  const texts = [
    ['function', 'kfree <-foo'],
    ['function', 'foo [mod] <-bar+0x10/0x20 [mod]'],
    ['function', 'foo(a=0x1, b=0x2) <-bar'],
    ['func_repeats', 'kfree <-foo (repeats: 3, last_ts:    1.000002)'],
    ['blk', '  8,0    A   R 1000 + 8 <- (8,1) 936'],
    ['blk', '  8,0    Q  WS 1000 + 8 [cat]'],
    ['blk', '  8,0    m   N cfq1234S / alloced'],
    ['hwlat', '#1     inner/outer(us):   11/12    ts:1581527483.343962693 count:6'],
    ['osnoise', '1000000        190  99.98100       9     18      0   1007     18      1'],
    ['timerlat', '#1     context    irq timer_latency       932 ns'],
    ['wakeup', '     0:120:R   + [003]   312:100:R kworker/3:1H'],
    ['context_switch', '     0:120:R ==> [003]   312: 94:R kworker/3:1H'],
    ['branch', '[  ok  ] foo:file.c:123'],
    ['branch', '[ MISS ] foo:file.c:124'],
    ['raw_data', '# 1f buf: 01 02'],
    ['unknown', 'Unknown type 1585'],
  ] as const;
  const { rows, meta } = await read(...texts.map(([, text]) => head + text));
  expect(pick(rows, 'event', 'detail')).toEqual(texts.map(([n, text]) => [n, text.trimStart()]));
  expect(meta.unparsed.lines).toBe(0);
});

test('mmiotrace has columns of its own', async () => {
  const { rows, meta } = await read(
    '# tracer: mmiotrace',
    'VERSION 20070824',
    'PCIDEV 0008 12345678 0 0 0',
    'MAP 123.456789 1 0x80000000 0xffffc90000000000 0x1000 0x0 0',
    'R 4 123.456790 1 0x80000004 0x1 0x0 0',
    'MARK 123.456792 hello',
    'UNMAP 123.456793 1 0x0 0',
  );
  expect(pick(rows, 'event', 'at', 'ts_ns', 'phys', 'va', 'size_bytes')).toEqual([
    ['mmiotrace_map', 'MAP', 123456789000n, 0x80000000n, 0xffffc90000000000n, 4096],
    ['mmiotrace_rw', 'R', 123456790000n, 0x80000004n, undefined, undefined],
    ['print', undefined, 123456792000n, undefined, undefined, undefined],
    ['mmiotrace_map', 'UNMAP', 123456793000n, undefined, undefined, undefined],
  ]);
  expect(meta.unparsed.lines).toBe(0);
});

test('a dump of the ring buffer inside the log of a panic, with a stack', async () => {
  const { rows, meta } = await read(
    '[   12.345678] Kernel panic - not syncing: Fatal exception',
    '[   12.345679] Dumping ftrace buffer:',
    '[   12.345680] ---------------------------------',
    '[   12.345681] CPU:1 [LOST 12345 EVENTS]',
    '[   12.345682]     bash-42        1d..1. 12345678us : sched_wakeup: comm=a pid=1',
    '[   12.345685] [ T1234]   <idle>-0         0..... 12345681us!: <stack trace>',
    '[   12.345686][    C1]  => one',
    '[   12.345687]  => two',
    '[   12.345688] ---------------------------------',
    '[   12.345689] Kernel Offset: disabled',
  );
  expect(pick(rows, 'event', 'cpu', 'ts_ns', 'stack')).toEqual([
    ['sched_wakeup', 1, 12345678000n, undefined],
    ['kernel_stack', 0, 12345681000n, 'one\ntwo'],
  ]);
  expect(meta).toMatchObject({ lost: 12345, unparsed: { lines: 0 } });
  expect(meta.notes.join()).toMatch(/3 lines of the kernel's log/);
});

test('trace-cmd report of several files, of raw flags, of events without a format', async () => {
  const { rows, meta } = await read(
    '    host.dat: cpus=2',
    'guest-vm.dat: cpus=4',
    '    host.dat:          <idle>-0     [001] d..1.  100.000001: cpu_idle: state=1',
    'guest-vm.dat:   bash-12      0-0x25   100.000002: sched_wakeup: comm=a pid=1',
    '    host.dat: CPU:1 [5 EVENTS DROPPED]',
    '[UNKNOWN EVENT][UNKNOWN EVENT] (NULL):               [UNKNOWN EVENT]',
    'note:',
  );
  expect(pick(rows, 'event', 'source', 'cpu', 'flags', 'ts_ns')).toEqual([
    ['cpu_idle', 'host.dat', 1, 'd..1.', 100000001000n],
    ['sched_wakeup', 'guest-vm.dat', 0, '0x25', 100000002000n],
    ['unknown', undefined, undefined, undefined, 100000002000n],
  ]);
  expect(meta).toMatchObject({ cpus: 4, lost: 5, unparsed: { lines: 1 } });
  expect(meta.notes.join()).toMatch(/1 events of unknown format/);
});

test('function_graph: other sets of columns, relative stamps, comments with columns', async () => {
  const { rows } = await read(
    '# tracer: function_graph',
    'f() { /* <-caller */',
    '  leaf();',
    '} /* f <-caller ret=0xffffffea */',
    ' 0) g() {',
    ' 0)   leaf [mod](x=1); /* = -22 */',
    ' 1)    sh-4802     | h() {',
    ' 1)    sh-4802     |   leaf();',
    '        4 us |   0)   bash-1507    |  d..2 |   1.107 us    |    leaf();',
    ' 0)               |  /* free_vmap_area_noflush: va_start=0xffff800080000000 nr_lazy=1 nr_lazy_max=2 */',
  );
  expect(pick(rows, 'event', 'at', 'ret', 'detail')).toEqual([
    ['funcgraph_entry', 'f', undefined, 'depth=0 /* <-caller */'],
    ['funcgraph_leaf', 'leaf', undefined, 'depth=1'],
    ['funcgraph_exit', 'f', 0xffffffean, 'depth=0 /* <-caller */'],
    ['funcgraph_entry', 'g', undefined, 'depth=0'],
    ['funcgraph_leaf', 'leaf [mod]', -22n, 'depth=1 args=(x=1)'],
    ['funcgraph_entry', 'h', undefined, 'depth=0'],
    ['funcgraph_leaf', 'leaf', undefined, 'depth=1'],
    ['funcgraph_leaf', 'leaf', undefined, 'depth=1'],
    ['free_vmap_area_noflush', undefined, undefined, undefined],
  ]);
  expect(rows[7]).toMatchObject({ ts_ns: 4000n, duration_ns: 1107, flags: 'd..2', pid: 1507 });
  expect(rows[8]).toMatchObject({ va: 0xffff800080000000n, count: 1, limit: 2 });
});

test('atrace writes a list of processes behind the trace', async () => {
  const { rows, meta } = await read(
    'capturing trace... done',
    'TRACE:',
    '# tracer: nop',
    '           <...>-2861  (-----) [001] ...1 683201.354908: tracing_mark_write: B|2861|foo',
    'PROCESS DUMP',
    'USER           PID  PPID     VSZ    RSS WCHAN            ADDR S NAME',
    'root             1     0   10848   2672 SyS_epoll_wait      0 S init',
  );
  expect(pick(rows, 'event', 'detail')).toEqual([['tracing_mark_write', 'B|2861|foo']]);
  expect(meta.unparsed.lines).toBe(0);
  expect(meta.notes.join()).toMatch(/3 lines of atrace's list/);
});

test('lines that a mailer wrapped are put together again, and prose is not', async () => {
  const { rows, meta } = await read(
    'Subject: Re: [PATCH] vmalloc',
    '',
    '> > kworker/1:1-41      [001] .....  1686.561851: purge_vmap_area_lazy:',
    '> > start=0xffffc9000005c000 end=0xffffc9000c801000 num_purged=1554',
    '> > unshare-24680   [000] .....  1686.193682: sched_switch: prev_comm=a',
    '> > prev_pid=1 ==> next_comm=b next_pid=2 next_prio=120 and_so_on=12345678',
    '> > more=1',
    '> Nothing of this, which is quoted less, is part of that.',
    '> > kworker/1:1-41      [001] .....  1686.561852: purge_vmap_area_lazy: start=0x0 end=0x1000 num_purged=1',
    '> > Nor is this, where nothing is missing.',
    'kworker/1:1-41      [001] .....  1686.561853: sched_wakeup: comm=a',
    'target_cpu=1',
  );
  expect(pick(rows, 'event', 'range_start', 'detail')).toEqual([
    ['purge_vmap_area_lazy', 0xffffc9000005c000n, undefined],
    ['sched_switch', undefined, 'prev_comm=a prev_pid=1 ==> next_comm=b next_pid=2 next_prio=120 and_so_on=12345678 more=1'],
    ['purge_vmap_area_lazy', 0n, undefined],
    ['sched_wakeup', undefined, 'comm=a target_cpu=1'],
  ]); // biome-ignore format: a table
  expect(meta.unparsed.lines).toBe(3);
  expect(meta.notes.join()).toMatch(/4 wrapped lines/);
});

test('the verbose latency format: flags as numbers, stamps of the clock in hexadecimal', async () => {
  const { rows, totals } = await read(
    '# tracer: preemptoff',
    '# preemptoff latency trace v1.1.5 on 6.12.0',
    '            bash    4251   1 0 00000000 00000000 [58127d26] 1730.150ms (+0.000ms): __cond_resched <-foo',
    ' kworker/0:1H-ev     125   0 1 00000012 00000001 [58127d27] 1730.151ms (+0.001ms): sched_wakeup: comm=a pid=1',
    '          <idle>       0  12 5 00000000 00000002 [58127d28] 1730.152ms (+0.012ms): <stack trace>',
    ' => one',
    '            bash    4251   1 0 00000000 00000003 [58127d34] 1730.164ms (+0.000ms): __cond_resched (foo)',
  );
  expect(pick(rows, 'event', 'task', 'pid', 'cpu', 'flags', 'stack')).toEqual([
    ['function', 'bash', 4251, 1, '.....', undefined],
    ['sched_wakeup', 'kworker/0:1H-ev', 125, 0, 'd..21', undefined],
    ['kernel_stack', '<idle>', 0, 12, 'dn...', 'one'],
    ['function', 'bash', 4251, 1, '.....', undefined],
  ]);
  expect(totals).toMatchObject({ events: 4, first: 0x58127d26 * 1000, last: 0x58127d34 * 1000, unparsed: 0 });
  const ticks = await read(
    '            bash    1111   3 1 00000001 00000000 [000000000000bf01] 0 (+7): f <-g',
  );
  expect(ticks.rows).toMatchObject([{ ts_ns: 0xbf01n, cpu: 3, flags: 'd..1', detail: 'f <-g' }]);
}); // biome-ignore format: long lines

test('what old trace-cmd report says of an event without a format', async () => {
  const { rows } = await read(
    '          insmod-123   [001]   100.000001: [UNKNOWN EVENT]',
    'ug! no event found for type 1585',
  );
  expect(pick(rows, 'event', 'ts_ns')).toEqual([
    ['unknown', 100000001000n],
    ['unknown', 100000001000n],
  ]);
});

test('function: with arguments, offsets, addresses, without the caller; other clocks', async () => {
  const { rows, meta } = await read(
    '# tracer: function',
    `${head}vfree(addr=0xffff800080000000) <-do_init_module`,
    `${head}_raw_spin_lock+0x0/0x60 <ffffffff81000000> <-foo+0x10/0x20 <ffffffff81000010>`,
    `${head}vfree`,
    `${head}nf_foo+0x0/0x60 [nf_nat](a=1, b=0x2)`,
    `${head}two words`,
  );
  expect(rows.map((r) => r['event'])).toEqual([...Array(4).fill('function'), 'unknown']);
  expect(meta.notes).toEqual([]);
  for (const stamp of ['             1', '11538417283467', '11538417283467890']) {
    const ticks = await read(`          insmod-123     [000] ..... ${stamp}: sched_wakeup: comm=a`);
    expect(ticks.totals).toMatchObject({ first: Number(stamp), unparsed: 0 });
    expect(ticks.meta.notes.join()).toMatch(/stamps are ticks/);
  }
});

test('prints and marks of trace-cmd report have the names of tracefs', async () => {
  const { rows } = await read(
    'cpus=2',
    '          sh-12    [001]   1.354908: print:                tracing_mark_write: MARK wl_begin',
    '          sh-12    [001]   1.354909: bprint:               vmix_run: vmix op=huge',
    '          sh-12    [001]   1.354909: bputs:                0xffff800078ae040c: hello',
    '          sh-12    [001]   1.354910: print:                B|2861|a: b',
    '          sh-12    [001]   1.354910: bputs:                0xffff0000080feeb8s: of an old trace-cmd',
    '          sh-12    [001]   1.354910: print:                 ip=tracing_mark_write buf=MARK wl_end',
    '          sh-12    [001]   1.354910: bprint:                ip=0xffff800078af040c fmt=0xffff00000a785e80 buf=ARRAY[]',
    '          sh-12    [001]   1.354910: bputs:                 ip=0xffff800078af04b0 str=vmix op=purge',
  );
  expect(pick(rows, 'event', 'at', 'detail')).toEqual([
    ['tracing_mark_write', undefined, 'MARK wl_begin'],
    ['print', 'vmix_run', 'vmix op=huge'],
    ['print', '0xffff800078ae040c', 'hello'],
    ['print', undefined, 'B|2861|a: b'],
    ['bputs', undefined, '0xffff0000080feeb8s: of an old trace-cmd'],
    ['tracing_mark_write', undefined, 'MARK wl_end'],
    ['print', '0xffff800078af040c', 'fmt=0xffff00000a785e80 buf=ARRAY[]'],
    ['print', '0xffff800078af04b0', 'vmix op=purge'],
  ]);
});

test('trace-cmd report -w ends in latencies, which are no events', async () => {
  const { totals } = await read(
    '          sh-12    [001]   1.000001: sched_wakeup:         a:1 [120] CPU:001 Latency: 12.345 usecs',
    '',
    'Average wakeup latency: 12.345 usecs',
    'Maximum Latency: 12.345 usecs at timestamp: 12.000003',
    'Minimum Latency: 12.345 usecs at timestamp: 12.000003',
  );
  expect(totals).toMatchObject({ events: 1, unparsed: 0 });
});

test('the trace in a string of old systrace pages', async () => {
  const { rows, totals, meta } = await read(
    '<!DOCTYPE html>',
    '<html><body><script>',
    '  var linuxPerfData = "\\',
    '# tracer: nop\\n\\',
    '          <idle>-0     [000]   4.123456: cpu_idle: state=1 cpu_id=0\\n\\',
    '          <idle>-0     [001]   4.123457: sched_switch: prev_comm=a ==> next_comm=\\"b\\" x=<i>\\n\\',
    '";',
    '</script></body></html>',
  );
  expect(totals).toEqual({
    events: 2,
    first: 4_123_456_000,
    last: 4_123_457_000,
    per_event: { cpu_idle: 1, sched_switch: 1 },
    per_cpu: { 0: 1, 1: 1 },
    lost: 0,
    unparsed: 0,
  });
  expect(rows[1]).toMatchObject({ detail: 'prev_comm=a ==> next_comm="b" x=<i>' });
  expect(meta.notes.join()).toMatch(/5 lines of HTML/);
});

test('function_graph of kernels that put no bar behind the flags', async () => {
  const { rows, meta } = await read(
    '# tracer: function_graph',
    ' 0)  d..2              |  finish_task_switch() {',
    ' 0)  d..2   0.5 us    |    leaf();',
    ' 0)  ...1 + 12.5 us   |  }',
  );
  expect(pick(rows, 'event', 'flags', 'duration_ns')).toEqual([
    ['funcgraph_entry', 'd..2', undefined],
    ['funcgraph_leaf', 'd..2', 500],
    ['funcgraph_exit', '...1', 12500],
  ]);
  expect(meta.unparsed.lines).toBe(0);
});

test('funcgraph events as their format prints them, in trace-cmd report -N and -R', async () => {
  const { rows } = await read(
    '       ldmod-66    [001]     2.369214: funcgraph_entry:      --> vmap_range (1)',
    '       ldmod-66    [001]     2.369416: funcgraph_exit:       <-- vmap_range (1) (start: 8d3634d0  end: 8d3928b0) over: 1',
    '       ldmod-66    [001]     2.369214: funcgraph_entry:       func=vmap_range depth=1',
    '       ldmod-66    [001]     2.369416: funcgraph_exit:        func=vmap_range depth=1 overrun=0 calltime=8d3634d0 rettime=8d3928b0',
  );
  expect(pick(rows, 'event', 'at', 'duration_ns', 'detail')).toEqual([
    ['funcgraph_entry', 'vmap_range', undefined, 'depth=1'],
    ['funcgraph_exit', 'vmap_range', 0x8d3928b0 - 0x8d3634d0, 'depth=1'],
    ['funcgraph_entry', 'vmap_range', undefined, 'depth=1'],
    ['funcgraph_exit', 'vmap_range', 0x8d3928b0 - 0x8d3634d0, 'depth=1'],
  ]);
});

import { expect, test } from 'vitest';
import { readFtrace, rowsOf } from '../traces.js';

const rows = async (...lines: string[]) => rowsOf(await readFtrace(`${lines.join('\n')}\n`));
const pick = (list: Record<string, unknown>[], ...names: string[]) =>
  list.map((r) => names.map((n) => r[n]));

test('function_graph with every column', async () => {
  const list = await rows(
    '# tracer: function_graph',
    '#',
    '#     TIME        CPU  TASK/PID       ||||     DURATION                  FUNCTION CALLS',
    '  384.905506 |   1)   ping-1556    |  d..2 | + 15.986 us   |  finish_task_switch();',
    '  384.905617 |   1)   ping-1556    |  .... |               |  ext4_bread_batch() {',
    '  384.905618 |   1)   ping-1556    |  .... |   0.913 us    |    _raw_read_lock();',
    '  384.905625 |   1)   ping-1556    |  .... | $ 1234567.8 us |  } /* ext4_bread_batch */',
  );
  expect(pick(list, 'event', 'at', 'duration_ns', 'detail')).toEqual([
    ['funcgraph_leaf', 'finish_task_switch', 15986, 'depth=0'],
    ['funcgraph_entry', 'ext4_bread_batch', undefined, 'depth=0'],
    ['funcgraph_leaf', '_raw_read_lock', 913, 'depth=1'],
    ['funcgraph_exit', 'ext4_bread_batch', 1234567800, 'depth=0'],
  ]);
  expect(list[0]).toMatchObject({
    cpu: 1,
    pid: 1556,
    task: 'ping',
    flags: 'd..2',
    ts_ns: 384905506000n,
  });
});

test('function_graph without stamps and tasks: switches, bare braces, comments, interrupts', async () => {
  const trace = await readFtrace(
    [
      ' 0)   bash-10     =>   kwork-20   ',
      ' ------------------------------------------',
      ' 0)               |  f() {',
      ' 0)   ==========> |',
      ' 0)   0.100 us    |    irq_enter();',
      ' 0)   <========== |',
      ' 0)               |    /* sched_switch: prev_comm=a ==> next_comm=b */',
      ' 0)               |    /* hello */',
      ' 0)   1.382 us    |    leaf [mod](x=0x1, y="a|b"); /* = 0xffffffffffffffea */',
      ' 0) ! 7.876 us    |  } /* f ret=-22 */',
      ' 1)               |  g() {',
      ' 1)   2.000 us    |  }',
    ].join('\n'),
  );
  const list = rowsOf(trace);
  expect(pick(list, 'event', 'at', 'ret', 'detail')).toEqual([
    ['funcgraph_entry', 'f', undefined, 'depth=0'],
    ['funcgraph_irq_entry', undefined, undefined, undefined],
    ['funcgraph_leaf', 'irq_enter', undefined, 'depth=1'],
    ['funcgraph_irq_exit', undefined, undefined, undefined],
    ['sched_switch', undefined, undefined, 'prev_comm=a ==> next_comm=b'],
    ['print', undefined, undefined, 'hello'],
    ['funcgraph_leaf', 'leaf [mod]', -22n, 'depth=1 args=(x=0x1, y="a|b")'],
    ['funcgraph_exit', 'f', -22n, 'depth=0'],
    ['funcgraph_entry', 'g', undefined, 'depth=0'],
    ['funcgraph_exit', 'g', undefined, 'depth=0'],
  ]);
  expect(list[0]).toMatchObject({ task: 'kwork', pid: 20, cpu: 0 });
  expect(trace.meta.unparsed.lines).toBe(0);
  expect(trace.meta.notes.join()).toMatch(/no stamp/);
});

test('latency tracers: header, glued CPU and flags, relative stamps', async () => {
  const trace = await readFtrace(
    [
      '# tracer: irqsoff',
      '#',
      '# irqsoff latency trace v1.1.5 on 6.12.1',
      '# --------------------------------------------------------------------',
      '# latency: 259 us, #4/9, CPU#2 | (M:preempt VP:0, KP:0, SP:0 HP:0 #P:4)',
      '#    -----------------',
      '#  => started at: __lock_task_sighand',
      '#   cmd     pid   ||||| time  |   caller      ',
      '      ps-6143    2d..1.    0us!: trace_hardirqs_off <-__lock_task_sighand',
      '      ps-6143    2d..1.  259us+: trace_hardirqs_on <-_raw_spin_unlock_irqrestore',
      '      ps-6143    2d..1.  306us : <stack trace>',
      ' => trace_hardirqs_on_caller',
      ' => ps_open',
      '      ps-6143    2d.h3.  1234us : sched_wakeup: comm=a pid=1',
    ].join('\n'),
  );
  expect(trace.meta).toMatchObject({ kernel: '6.12.1', stated: 4, lost: 5, cpus: 4 });
  expect(trace.meta.unparsed.lines).toBe(0);
  expect(pick(rowsOf(trace), 'ts_ns', 'event', 'flags', 'cpu', 'stack')).toEqual([
    [0n, 'function', 'd..1.', 2, undefined],
    [259000n, 'function', 'd..1.', 2, undefined],
    [306000n, 'kernel_stack', 'd..1.', 2, 'trace_hardirqs_on_caller\nps_open'],
    [1234000n, 'sched_wakeup', 'd.h3.', 2, undefined],
  ]);
});

test('trace-cmd report in its variants', async () => {
  const list = await rows(
    'version = 7',
    'CPU 4 is empty',
    'cpus=6',
    'CPU:5 [SUBBUFFER START] [162534215741800:0x325000]',
    '       trace-cmd-6244  [005] 162534.215742:          cpu_idle:             state=2 cpu_id=5',
    '          <idle>-0     [005] 162534.215764: (+22400) cpu_idle:             state=2 cpu_id=5',
    '          <idle>-0     [005] 162534.215764200: cpu_idle:             state=2 cpu_id=5',
    'trace-cm-6244    5d..4. 162534.215742: sched_switch:         trace-cmd:6244 [120]',
    '          vmix/0-67    [000] d..1.     2.385093: funcgraph_entry:      + 12.528 us  |      pmd_set_huge();',
    '          vmix/0-67    [000] d..1.     2.385093: kernel_stack:         <stack trace>',
    '=> foo (ffffffff81000000)',
    'CPU:2 [5 EVENTS DROPPED]',
  );
  expect(pick(list, 'event', 'flags', 'ts_ns', 'detail')).toEqual([
    ['cpu_idle', undefined, 162534215742000n, 'state=2 cpu_id=5'],
    ['cpu_idle', undefined, 162534215764000n, 'state=2 cpu_id=5'],
    ['cpu_idle', undefined, 162534215764200n, 'state=2 cpu_id=5'],
    ['sched_switch', 'd..4.', 162534215742000n, 'trace-cmd:6244 [120]'],
    ['funcgraph_entry', 'd..1.', 2385093000n, 'depth=2'],
    ['kernel_stack', 'd..1.', 2385093000n, undefined],
  ]);
  expect(list[4]).toMatchObject({ at: 'pmd_set_huge', duration_ns: 12528 });
  expect(list[5]).toMatchObject({ stack: 'foo (ffffffff81000000)' });
});

test('syscalls as text', async () => {
  const head = '              sh-1       [000] .....     1.000000: ';
  const list = await rows(
    `${head}sys_read(fd: 3, buf: 7ffc, count: 400)`,
    `${head}sys_read -> 0x10`,
  );
  expect(pick(list, 'event', 'ret', 'detail')).toEqual([
    ['sys_enter_read', undefined, 'sys_read(fd: 3, buf: 7ffc, count: 400)'],
    ['sys_exit_read', 16n, 'sys_read -> 0x10'],
  ]);
});

const line = '          <idle>-0       [001] d..1.     0.813631: cpu_idle: state=1 cpu_id=1';
const wanted = {
  task: '<idle>',
  pid: 0,
  cpu: 1,
  flags: 'd..1.',
  ts_ns: 813631000n,
  event: 'cpu_idle',
  detail: 'state=1 cpu_id=1',
};

test('quoted in a mail, behind a console stamp, inside prose', async () => {
  for (const prefix of [
    '> ',
    '> > ',
    '>> ',
    ' > ',
    '| ',
    '[   12.345678] ',
    '[   12.345678][  T123] ',
  ]) {
    const trace = await readFtrace(
      `Hi,\n\nlook at this:\n${prefix}${line}\n${prefix.trim()}\nbye - 1 [2] 3.4: x\n`,
    );
    expect(rowsOf(trace)[0], prefix).toMatchObject(wanted);
    expect(trace.meta.seen, prefix).toBe(1);
  }
});

test('quoted-printable', async () => {
  const mail = `Content-Transfer-Encoding: quoted-printable\n\nHi =C3=A9\n${line.replaceAll('=', '=3D').replace('cpu_idle:', 'cpu_=\nidle:')}\n`;
  expect(rowsOf(await readFtrace(mail))).toMatchObject([wanted]);
  const bare = `${line.replaceAll('=', '=3D').replace('state', 'sta=\r\nte')}\r\n`;
  expect(rowsOf(await readFtrace(bare, 7))).not.toEqual([]);
  expect(rowsOf(await readFtrace(bare))).toMatchObject([wanted]);
});

test('a systrace page, and an escaped <pre>', async () => {
  const page = [
    '<!DOCTYPE html>',
    '<html>',
    '<body onload="x()">',
    '  <script class="trace-data" type="application/text">',
    '# tracer: nop',
    line,
    '  </script>',
    '<p>1-2 [3]</p>',
    '<pre>',
    line.replaceAll('<', '&lt;').replaceAll('>', '&gt;'),
    '</pre>',
    '</html>',
  ].join('\n');
  const trace = await readFtrace(page);
  expect(rowsOf(trace)).toMatchObject([wanted, wanted]);
  expect(trace.meta.unparsed.lines).toBe(0);
  expect(trace.meta.notes.join()).toMatch(/9 lines of HTML/);
});

test('losses are counted by CPU with their place', async () => {
  const trace = await readFtrace(
    [line, 'CPU:1 [LOST 5 EVENTS]', line, 'CPU:0 [EVENTS DROPPED]', line].join('\n'),
  );
  expect(trace.meta).toMatchObject({
    lost: 5,
    lost_per_cpu: { 1: 5 },
    gaps: [
      { cpu: 1, seq: 1, lost: 5 },
      { cpu: 0, seq: 2, lost: null },
    ],
  });
});

// Lines of perf script that look like something else: frames of a call chain, or lines of ftrace.
import { expect, test } from 'vitest';
import { choose } from '../../src/importers/choose.js';
import { readBytes, rowsOf } from '../traces.js';

const bytes = (lines: readonly string[]) => new TextEncoder().encode(`${lines.join('\n')}\n`);

/** Rows of perf script's text, which must also be known for it. */
async function read(...lines: string[]) {
  expect(choose('x', bytes(lines))[0]).toBe('perf-script');
  return readBytes('perf-script', bytes(lines));
}

const woken = 'sched:sched_wakeup: comm=a pid=9 prio=120 target_cpu=000';

test.each(['dd', 'bc', 'df', 'ed', 'a b-12 [3]:', 'x-1 (7) [000] 5', '12'])(
  'a task called %s is no frame of the sample before',
  async (comm) => {
    const trace = await read(
      `            bash   100 [001]    10.000001: ${woken}`,
      `${comm.padStart(16)}   101 [000]    10.000002: ${woken}`,
      `${comm.padStart(16)}   101/102   [000]    10.000003:     250000 cpu-clock:      7fa472aa5bc7 f+0x7 (/lib/ld.so)`,
      '\t    7fa472aa5bc7 std::f(a::b)+0x7 (/lib/ld.so)',
      '\t              dd [unknown] ([unknown])',
    );
    const rows = rowsOf(trace);
    expect(rows.map((r) => [r['task'], r['pid'], r['cpu']])).toEqual([
      ['bash', 100, 1],
      [comm, 101, 0],
      [comm, 102, 0],
    ]);
    expect(String(rows[2]!['stack']).split('\n')).toHaveLength(2);
    expect(trace.meta.unparsed.lines).toBe(0);
  },
);

test.each([
  ['comm and tid', '             :-1    -1 [001] '],
  ['pid and tid', '             :-1    -1/-1    [001] '],
  ['no comm', '   -1 [001] '],
])('a task that is gone does not make a trace one of ftrace: %s', async (_, head) => {
  const first = head.replace(':-1', 'zsh').replaceAll('-1', '42');
  const trace = await read(`${first}    10.000001: ${woken}`, `${head}    10.000002: ${woken}`);
  expect(rowsOf(trace).map((r) => [r['event'], r['pid'], r['cpu']])).toEqual([
    ['sched_wakeup', 42, 1],
    ['sched_wakeup', -1, 1],
  ]);
});

test('the column of -F +misc, and the records of perf itself', async () => {
  const trace = await read(
    `            perf 21614 [000] K     14318.162024:   ${woken}`,
    `            perf 21614/21615 [003] U     14318.162025:   ${woken}`,
    '         swapper     0 [000]     0.000000: PERF_RECORD_MMAP -1/0: [0xffffffff81000000(0x1209988) @ 0]: x [k]_text',
    '         swapper     0 [000]     0.000000: PERF_RECORD_FORK(1:1):(0:0)',
    '            init     0 [000]     0.000000: PERF_RECORD_COMM: init:1/1',
    '            perf 28624 [000] 14599.028700: PERF_RECORD_SWITCH_CPU_WIDE OUT preempt  next pid/tid: 1/1',
    '              ls    43 [000] 14323.377572: PERF_RECORD_LOST lost 220',
  );
  expect(rowsOf(trace).map((r) => [r['event'], r['task'], r['cpu']])).toEqual([
    ['sched_wakeup', 'perf', 0],
    ['sched_wakeup', 'perf', 3],
    ['PERF_RECORD_MMAP', 'swapper', 0],
    ['PERF_RECORD_FORK', 'swapper', 0],
    ['PERF_RECORD_COMM', 'init', 0],
    ['PERF_RECORD_SWITCH_CPU_WIDE', 'perf', 0],
  ]);
  expect(trace.meta.lost).toBe(220);
  expect(trace.meta.unparsed.lines).toBe(0);
});

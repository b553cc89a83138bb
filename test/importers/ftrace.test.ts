import fc from 'fast-check';
import { expect, test } from 'vitest';
import { span } from '../../src/events/trace.js';
import { readFtrace, rowsOf } from '../traces.js';

const one = async (line: string) => rowsOf(await readFtrace(`${line}\n`))[0];

test('a line in each variant of the columns', async () => {
  const rest = { cpu: 3, pid: 42, task: 'bash', event: 'sched_wakeup', detail: 'comm=a pid=1' };
  const ts_ns = 12_345_678_000n;
  const lines = [
    ['            bash-42      [003] d..1.    12.345678: sched_wakeup: comm=a pid=1', 'd..1.'],
    ['            bash-42      [003] d..1    12.345678: sched_wakeup: comm=a pid=1', 'd..1'],
    ['            bash-42      [003] dNh3.Bx    12.345678: sched_wakeup: comm=a pid=1', 'dNh3.Bx'],
    ['            bash-42      [003]    12.345678: sched_wakeup: comm=a pid=1', undefined],
    ['\tbash-42 [003] 12.345678: sched_wakeup:   comm=a pid=1', undefined],
    ['            bash-42      [003] d..1. 12.345678000: sched_wakeup: comm=a pid=1', 'd..1.'],
  ] as const;
  for (const [line, flags] of lines) {
    const { flags: got, ...row } = (await one(line))!;
    expect(row, line).toEqual({ seq: 0, ts_ns, ...rest });
    expect(got, line).toBe(flags);
  }
});

test('the TGID column, filled, empty and narrow', async () => {
  const at = (tgid: string) =>
    one(`            bash-42      ${tgid} [003] d..1    12.345678: e: x`);
  expect(await at('(   77)')).toMatchObject({ tgid: 77, pid: 42 });
  expect(await at('(-------)')).not.toHaveProperty('tgid');
  expect(await one('     ksoftirqd/0-3 ( 3) [000] d..3 1.5: e: x')).toMatchObject({
    tgid: 3,
    pid: 3,
    task: 'ksoftirqd/0',
    ts_ns: 1_500_000_000n,
  });
});

test('comm may hold blanks, dashes, colons, brackets, and a whole line of trace', async () => {
  for (const task of [
    'a b-1 c',
    'x-12',
    'x: y',
    '<...>',
    '[1] 2',
    '-',
    'a-1 [0] 1.0: e:',
    'é-9 [000]',
  ]) {
    const line = `${' '.repeat(Math.max(0, 16 - Buffer.from(task).length))}${task}-77      [001] .....     5.000001: ev: x`;
    expect(await one(line), task).toMatchObject({ task, pid: 77, cpu: 1, event: 'ev' });
  }
  const marker =
    '              sh-1       [000] .....     1.000000: tracing_mark_write: sh-9 [001] ..... 2.0: e: y';
  expect(await one(marker)).toMatchObject({ pid: 1, detail: 'sh-9 [001] ..... 2.0: e: y' });
});

test('prints, markers, functions and stacks', async () => {
  const head = '              sh-1       [000] .....     1.000000: ';
  const text = [
    `${head}0xffff800078ae040c: vmix op=huge id=0`,
    `${head}my_func+0x10/0x20: hello: world`,
    `${head}tracing_mark_write: MARK a: b`,
    `${head}kfree <-foo`,
    `${head}<stack trace>`,
    ' => one',
    ' => two',
    `${head}e: x`,
    '',
  ].join('\n');
  const rows = rowsOf(await readFtrace(text));
  expect(rows.map((r) => [r['event'], r['at'], r['detail'], r['stack']])).toEqual([
    ['print', '0xffff800078ae040c', 'vmix op=huge id=0', undefined],
    ['print', 'my_func+0x10/0x20', 'hello: world', undefined],
    ['tracing_mark_write', undefined, 'MARK a: b', undefined],
    ['function', undefined, 'kfree <-foo', undefined],
    ['kernel_stack', undefined, undefined, 'one\ntwo'],
    ['e', undefined, 'x', undefined],
  ]);
});

test('counts of the header, lost events and strange lines are kept', async () => {
  const line = '              sh-1       [000] .....     1.000000: e: x';
  const text = [
    '# tracer: nop',
    '# entries-in-buffer/entries-written: 3/10   #P:8',
    '##### CPU 2 buffer started ####',
    line,
    'CPU:1 [LOST 5 EVENTS]',
    'what is this?',
    '              sh-1       [000] .....     0.500000: e: y',
  ].join('\r\n');
  const trace = await readFtrace(text);
  expect(trace.meta).toMatchObject({ stated: 3, lost: 12, cpus: 8, seen: 2 });
  expect(trace.meta.unparsed).toEqual({
    lines: 1,
    samples: [{ line: 6, offset: text.indexOf('what is'), text: 'what is this?' }],
  });
  expect(trace.meta.notes.join()).toMatch(/1 events are older/);
  expect(trace.meta.notes.join()).toMatch(/states 3 events, the body has 2/);
});

test('known events go into columns and need no detail', async () => {
  const head = '        kthreadd-2       [000] d....     0.813631: ';
  expect(
    await one(
      `${head}alloc_vmap_area: va_start: 18446603338380115968 size=20480 align=32768 vstart=0xffff800080000000 vend=0xfffffdffbf800000 failed=0`,
    ),
  ).toMatchObject({
    va: 0xffff800080ae8000n,
    va_page: 0xffff800080ae8,
    size_bytes: 20480,
    align_bytes: 32768,
    range_start: 0xffff800080000000n,
    range_end: 0xfffffdffbf800000n,
    ok: true,
  });
  const free = await one(
    `${head}pmd_free_pte_page: (pmd_free_pte_page+0x0/0x48) pmdp=0xffff000000cc6080 addr=0xffff800082000000 pmd=0x10000000524b2003`,
  );
  expect(free).toMatchObject({
    at: 'pmd_free_pte_page+0x0/0x48',
    entry_at: 0xffff000000cc6080n,
    va: 0xffff800082000000n,
    entry: 0x10000000524b2003n,
  });
  expect(free).not.toHaveProperty('detail');
});

test('what another kernel prints differently is found by key, and its text kept', async () => {
  const head = '        kthreadd-2       [000] d....     0.813631: ';
  const locked = 'mm=ffff000012c30000 memcg_id=17 write=true success=false';
  expect(await one(`${head}mmap_lock_acquire_returned: ${locked}`)).toMatchObject({
    lock: 0xffff000012c30000n,
    lock_mode: 'write',
    ok: false,
    detail: locked,
  });
  const probe = 'pmdp=0xffff000000cc6080 addr=0xffff800082000000';
  expect(await one(`${head}my_probe: (pmd_free_pte_page+0x0/0x48) ${probe}`)).toMatchObject({
    event: 'my_probe',
    at: 'pmd_free_pte_page+0x0/0x48',
    va: 0xffff800082000000n,
    detail: probe,
  });
});

test('a number too large for a double stays in the text', async () => {
  const text =
    'va_start: 4096 size=9007199254740993 align=9223372036854775808 vstart=0x0 vend=0x1 failed=1';
  const row = await one(
    `              sh-1       [000] .....     1.000000: alloc_vmap_area: ${text}`,
  );
  expect(row).toMatchObject({ detail: text, align_bytes: 2 ** 63 });
  expect(row).not.toHaveProperty('size_bytes');
});

test('stamps are exact, also those of other clocks', async () => {
  const at = async (stamp: string) =>
    (await one(`              sh-1       [000] ..... ${stamp}: e: x`))!['ts_ns'];
  expect(await at('4294967296.000001')).toBe(4_294_967_296_000_001_000n);
  expect(await at('9000001.999999999')).toBe(9_000_001_999_999_999n);
  expect(await at('123456789012345')).toBe(123456789012345n);
});

// Whatever the bytes, the importer ends, and every line that is not blank is an event, known or counted.
const bits = fc.constantFrom(
  'bash', '-12', ' [000]', ' d..1.', ' 1.000000:', ' ev: a=b', '# x', ' => f', '<stack trace>', '(  1)',
  'alloc_vmap_area: va_start: 1', ' size=', '\n> ', '\n[UNKNOWN EVENT]', 'Subject: ', '\t', '\r', '\0', 'é', ':', '[LOST 1 EVENTS]', '99999999999999999999',
); // biome-ignore format: a list

test('no line crashes or hangs the importer, and cutting into pieces changes nothing', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof(bits, fc.string({ maxLength: 20 })), { maxLength: 40 }),
      fc.integer({ min: 1, max: 50 }),
      async (parts, size) => {
        const text = parts.join('').replaceAll('#', '\n#').replaceAll('bash', '\nbash');
        const whole = await readFtrace(text);
        const cut = await readFtrace(text, size);
        expect(rowsOf(cut)).toEqual(rowsOf(whole));
        expect(cut.meta).toEqual(whole.meta);
        const lines = text.split('\n').filter((l) => l.replace(/\r$/, '') !== '').length;
        expect(whole.meta.seen + whole.meta.unparsed.lines).toBeLessThanOrEqual(lines);
      },
    ),
    { numRuns: 500 },
  );
});

test('random bytes neither', async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 400 }), async (bytes) => {
      const trace = await readFtrace(bytes);
      expect(span(trace) === null).toBe(trace.meta.seen === 0);
    }),
    { numRuns: 300 },
  );
});

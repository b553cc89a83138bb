// The kernel's log as each of its printers writes it.
import { expect, test } from 'vitest';
import { choose } from '../../src/importers/choose.js';
import { readBytes, rowsOf, totals } from '../traces.js';

const bytes = (text: string) => new TextEncoder().encode(text);
const read = (...lines: string[]) => {
  const content = bytes(`${lines.join('\n')}\n`);
  expect(choose('x', content)[0]).toBe('dmesg');
  return readBytes('dmesg', content);
};
const day = Date.UTC(1970, 10, 26, 12) * 1e6;

test('dmesg -H: stamps since the line before add up, from the minute that begins', async () => {
  const trace = await read(
    '[Nov26 12:00] Linux version 6.12.0',
    '[  +0.000012] Command line: ro',
    '[\u001b[32m  +1.000001\u001b[0m] Summary: fix_size_alloc_test passed: 1 failed: 0 loops: 10 avg: 9 usec',
    '[Nov26 12:01] eth0: link up',
    '[ +12.100000] bye',
  );
  expect(rowsOf(trace).map((r) => Number(r['ts_ns']) - day)).toEqual([
    0, 12_000, 1_000_013_000, 60_000_000_000, 72_100_000_000,
  ]);
  expect(trace.meta.notes.join()).toMatch(/2 stamps are of the wall clock/);
});

test('dmesg -d, with and without stamps, and journalctl -o short-delta', async () => {
  for (const [lines, stamps] of [
    [
      ['[<    0.000000>] a', '[<    0.000012>] b'],
      [0, 12_000],
    ],
    [['[   12.345678 <    0.000012>] a'], [12_345_678_000]],
    [['[   12.345678 <    0.000012 >] host kernel: a'], [12_345_678_000]],
    [['[Thu Nov 26 12:00:00 1970 <    0.000000>] a'], [day]],
  ] as const) {
    const trace = await read(...lines);
    expect(rowsOf(trace).map((r) => Number(r['ts_ns']))).toEqual(stamps);
    expect(rowsOf(trace)[0]).toMatchObject({ detail: 'a' });
  }
});

test('journalctl and syslog: the kernel in rows, other programs and the frame counted', async () => {
  const lines = {
    short: 'Nov 26 12:00:00.000000',
    'short-iso': '1970-11-26T12:00:00+0000',
    'short-full': 'Thu 1970-11-26 12:00:00 UTC',
    'short-unix': `${day / 1e9}.000000`.padStart(17, '0'),
    rfc5424: '1970-11-26T12:00:00.000000+00:00',
  };
  for (const [name, stamp] of Object.entries(lines)) {
    if (name === 'short-unix') continue; // has nine digits from 1973 on
    const trace = await read(
      '-- Boot 0123456789abcdef0123456789abcdef --',
      `${stamp} my-host.lan kernel: usb 1-1: new device`,
      `${stamp} my-host.lan systemd[1]: Started Session 1 of User x.`,
      `${stamp} my-host.lan kernel: BUG: sleeping function called from invalid context at mm/vmalloc.c:1`,
      `${stamp} my-host.lan kernel: in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 7, name: a b`,
    );
    const per_event = { printk: 1, sleeping_function: 1 };
    expect(totals(trace), name).toEqual({ events: 2, first: day, last: day, per_event, per_cpu: {}, lost: 0, unparsed: 0 });
    expect(rowsOf(trace)[0]).toMatchObject({ detail: 'usb 1-1: new device' });
    expect(rowsOf(trace)[1]).toMatchObject({ pid: 7, task: 'a b' });
    expect(trace.meta.notes.join()).toMatch(/1 lines are of other programs.*/);
    expect(trace.meta.notes.join()).toMatch(/1 lines around the log/);
  }
  const unix = await read('1749654754.123456 host kernel: a', '1749654755.123456 host kernel: b');
  expect(totals(unix)).toMatchObject({ first: 1749654754123456000, last: 1749654755123456000 });
  const mono = await read('[    0.000001] host kernel: usb 1-1: a', '[    0.000002] host sshd[7]: b');
  expect(totals(mono)).toMatchObject({ events: 1, last: 1000 });
}); // biome-ignore format: long lines

test('records of /dev/kmsg: facility and level, number, microseconds, caller, properties', async () => {
  const trace = await read(
    '6,1234,12345678,-;Linux version 6',
    ' SUBSYSTEM=pci',
    ' DEVICE=+pci:0000:00:00.0',
    '4,1235,12345679,c;cont',
    '3,1238,12345680,-,caller=C3;BUG: sleeping function called from invalid context at a.c:1',
    '30,1239,12345681,-;systemd[1]: hi',
  );
  expect(totals(trace)).toEqual({
    events: 4,
    first: 12_345_678_000,
    last: 12_345_681_000,
    per_event: { printk: 3, sleeping_function: 1 },
    per_cpu: { 3: 1 },
    lost: 0,
    unparsed: 0,
  });
  expect(trace.meta.notes.join()).toMatch(/2 lines around the log.*2 numbers are missing/);
});

test('pstore, serial consoles: levels, callers, lines before the first stamp, dropped messages', async () => {
  const trace = await read(
    'Oops#1 Part1',
    'U-Boot 2023.01',
    '<6>[   12.345678] [ T1234] a',
    '<4>[   12.345679][    C1] b',
    '<4>[   12.345679] c',
    '<4>[   12.345679] d',
    '** 17 printk messages dropped **',
    'of d, too',
  );
  expect(rowsOf(trace).map((r) => [Number(r['ts_ns']), r['pid'], r['cpu'], r['detail']])).toEqual([
    [12_345_678_000, undefined, undefined, 'U-Boot 2023.01'],
    [12_345_678_000, 1234, undefined, 'a'],
    [12_345_679_000, undefined, 1, 'b'],
    [12_345_679_000, undefined, undefined, 'c'],
    [12_345_679_000, undefined, undefined, 'd'],
    [12_345_679_000, undefined, undefined, '** 17 printk messages dropped **'],
    [12_345_679_000, undefined, undefined, 'of d, too'],
  ]);
  expect(trace.meta).toMatchObject({ lost: 17, gaps: [{ cpu: null, seq: 5, lost: 17 }] });
  expect(trace.meta.notes.join()).toMatch(/3 lines have no time stamp: given that of the line/);
});

test('a log without stamps, and one quoted in a mail, whose prose is no line of it', async () => {
  const notime = await read(
    ...Array(500).fill('usb 1-1: a line'),
    'Summary: t passed: 1 failed: 0',
  );
  expect(totals(notime)).toMatchObject({ events: 501, per_event: { test_vmalloc_summary: 1 } });
  const cat = await read('Linux version 6.12.0 (gcc)', 'Command line: ro');
  expect(totals(cat)).toMatchObject({ events: 2, first: 0, last: 0 });
  const mail = await read(
    'Subject: Re: [PATCH] vmalloc',
    'Hello,',
    '> [   16.000001] BUG: sleeping function called from invalid context at a.c:1',
    '> [   16.000002] Call trace:',
    '> [   16.000003]  foo+0x1/0x2',
    'that is wrong.',
    'Summary: t passed: 1 failed: 0 loops: 3 avg: 4 usec',
  );
  expect(totals(mail)).toMatchObject({
    events: 2,
    per_event: { sleeping_function: 1, test_vmalloc_summary: 1 },
    unparsed: 3,
  });
  expect(rowsOf(mail)[0]).toMatchObject({ stack: 'foo+0x1/0x2' });
  expect(mail.meta.unparsed.samples[1]).toEqual({ line: 2, offset: 29, text: 'Hello,' });
});

test('a report on x86: registers and lockdep do not end it', async () => {
  const trace = await read(
    '[   16.000001] BUG: sleeping function called from invalid context at mm/vmalloc.c:1',
    '[   16.000002] in_atomic(): 1, irqs_disabled(): 0, non_block: 0, pid: 123, name: insmod',
    '[   16.000002] INFO: lockdep is turned off.',
    '[   16.000003] CPU: 3 UID: 0 PID: 123 Comm: insmod Tainted: G           OE      6.12.0 #1',
    '[   16.000003] Tainted: [O]=OOT_MODULE, [E]=UNSIGNED_MODULE',
    '[   16.000004] Call Trace:',
    '[   16.000004]  <TASK>',
    '[   16.000005]  dump_stack_lvl+0x5d/0x80',
    '[   16.000005]  ? __pfx_init_module+0x10/0x10 [vmix]',
    '[   16.000006] RIP: 0033:0x7f1b2c3d4e5f',
    '[   16.000006] RSP: 002b:00007ffd00000000 EFLAGS: 00000246 ORIG_RAX: 0000000000000139',
    '[   16.000007] RAX: ffffffffffffffda RBX: 000055d5c1 RCX: 00007f1b2c3d4e5f',
    '[   16.000008]  </TASK>',
    '[   17.000000] eth0: up',
  );
  expect(rowsOf(trace)).toMatchObject([
    {
      event: 'sleeping_function',
      cpu: 3,
      pid: 123,
      stack: 'dump_stack_lvl+0x5d/0x80\n? __pfx_init_module+0x10/0x10 [vmix]',
    },
    { event: 'printk', ts_ns: 17_000_000_000n },
  ]);
});

test('reports of x86 and arm64 from the first line to the last', async () => {
  const trace = await read(
    '[  123.456789] BUG: unable to handle page fault for address: ffffc90000a01000',
    '[  123.456790] #PF: supervisor read access in kernel mode',
    '[  123.456792] PGD 100000067 P4D 100000067 PUD 1001c6067 PMD 0 ',
    '[  123.456793] Oops: Oops: 0000 [#1] PREEMPT SMP NOPTI',
    '[  123.456794] CPU: 3 UID: 0 PID: 1234 Comm: cat Not tainted 6.12.0 #1',
    '[  123.456796] RIP: 0010:ptdump_pte_entry+0x12/0x60',
    '[  123.456802] CR2: ffffc90000a01000 CR3: 0000000104a6e000 CR4: 00000000000006f0',
    '[  123.456803] Call Trace:',
    '[  123.456804]  <TASK>',
    '[  123.456806]  walk_pgd_range+0x12/0x60',
    '[  123.456807]  </TASK>',
    '[  123.456808] Modules linked in: vmix(OE)',
    '[  123.456809] ---[ end trace 0000000000000000 ]---',
    '[  124.000000] ------------[ cut here ]------------',
    '[  124.000001] WARNING: CPU: 2 PID: 77 at mm/vmalloc.c:100 vunmap+0x10/0x20',
    '[  124.000002] Modules linked in: vmix(OE) [last unloaded: foo]',
    '[  124.000003] CPU: 2 UID: 0 PID: 77 Comm: kworker/2:1 Not tainted 6.12.0 #1',
    '[  124.000004] Workqueue: events foo',
    '[  124.000006] pc : vunmap+0x10/0x20',
    '[  124.000009] x29: ffff800082d1bbc0 x28: 0000000000000000 x27: 0000000000000000',
    '[  124.000010] Call trace:',
    '[  124.000011]  vunmap+0x10/0x20 (P)',
    '[  124.000013] Code: a90153f3 (f9400015) ',
    '[  124.000014] ---[ end trace 0000000000000000 ]---',
    '[  125.000000] later',
  );
  expect(rowsOf(trace)).toMatchObject([
    { event: 'oops', cpu: 3, pid: 1234, task: 'cat', va: 0xffffc90000a01000n, stack: 'walk_pgd_range+0x12/0x60' },
    { event: 'printk', detail: '------------[ cut here ]------------' },
    { event: 'kernel_warning', cpu: 2, pid: 77, task: 'kworker/2:1', stack: 'vunmap+0x10/0x20 (P)' },
    { event: 'printk', detail: 'later' },
  ]);
}); // biome-ignore format: long lines

test('a mail in quoted-printable is decoded', async () => {
  const trace = await read(
    'Subject: x',
    'Content-Transfer-Encoding: quoted-printable',
    '',
    '> [   15.823704] Summary: fix_size_alloc_test passed: 1 failed: 0 xfailed: 0=',
    ' repeat: 1 loops: 1000000 avg: 955334 usec',
    '> [   15.900000] x=3D1',
  );
  expect(rowsOf(trace)).toMatchObject([
    { event: 'test_vmalloc_summary', count: 1000000, duration_ns: 955334000 },
    { event: 'printk', detail: 'x=1' },
  ]);
  expect(trace.meta.unparsed.lines).toBe(2);
});

test('a dump of ftrace far into a log: its events are rows, its losses are counted', async () => {
  const before = Array.from({ length: 1500 }, (_, i) =>
    `[${((i + 1000) / 1000).toFixed(6).padStart(12)}] usb 1-1: a line of the log, as there are many of ${i}`);
  const trace = await read(
    ...before,
    '[   12.345679] Dumping ftrace buffer:',
    '[   12.345680] ---------------------------------',
    '[   12.345681] CPU:1 [LOST 12345 EVENTS]',
    '[   12.345682]     bash-42        1d..1. 12345678us : sched_wakeup: comm=a pid=1',
    '[   12.345685]   <idle>-0         0..... 12345681us!: <stack trace>',
    '[   12.345686]  => one',
    '[   12.345687]  => two',
    '[   12.345688] ---------------------------------',
    '[   12.345689] Kernel Offset: disabled',
  );
  expect(before.join('\n').length).toBeGreaterThan(1 << 16);
  expect(totals(trace)).toEqual({
    events: 1504,
    first: 1_000_000_000,
    last: 12_345_689_000,
    per_event: { printk: 1502, sched_wakeup: 1, kernel_stack: 1 },
    per_cpu: { 0: 1, 1: 1 },
    lost: 12345,
    unparsed: 0,
  });
  expect(rowsOf(trace).find((r) => r['event'] === 'kernel_stack')).toMatchObject({ stack: 'one\ntwo' });
}); // biome-ignore format: long lines

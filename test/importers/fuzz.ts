// Mutations of small whole sources of every format. Used by fuzz.test.ts and, for longer, by
// scripts/fuzz.mjs through the built package.
import { deflateSync, gzipSync } from 'node:zlib';
import { Bytes, writeDat } from './dat-writer.js';
import { foreign, parquet, tables } from './tables.js';

const line = (event: string) => `          <idle>-0       [001] d..1.     0.813631: ${event}`;

const format = {
  system: 's',
  name: 'ev',
  id: 300,
  fields: [
    { type: 'u32', name: 'a', size: 4, signed: false },
    { type: '__data_loc char[]', name: 'b', size: 4, signed: false },
    { type: 'u16[2]', name: 'c', size: 4, signed: false },
  ],
  printFmt:
    '"a=%u b=%s c=%s f=%s", REC->a, __get_str(b), __print_array(REC->c, REC->a, 2), __print_flags(REC->a, "|", {1, "x"}, {2, "y"})',
};

function dat(version: 6 | 7, little: boolean, compression: 'none' | 'zlib' | 'zstd'): Uint8Array {
  const body = new Bytes(little).u32(2).u32((3 << 16) | 20).u16(7).u16(8).text('hi\0').done();
  const records = Array.from({ length: 40 }, (_, i) => ({ ts: BigInt(i) << 25n, id: 300 + (i % 7 === 0 ? 1 : 0), pid: i % 3, body }));
  const cpus = [{ cpu: 0, records, missed: 3 }, { cpu: 1, records: records.slice(5) }];
  const formats = [format, { system: 'ftrace', name: 'print', id: 301, fields: [{ type: 'unsigned long', name: 'ip', size: 8, signed: false }, { type: 'char[]', name: 'buf', size: 0, signed: false }], printFmt: '"%ps: %s", (void *)REC->ip, REC->buf' }];
  return writeDat({ version, little, longBytes: 8, compression, formats, cpus, kallsyms: 'ffff800080001000 T a\nffff800080002000 T b\n', printk: '0x77 : "x %d"\n', cmdlines: '1 init\n' });
} // biome-ignore format: long lines

/** A trace.dat with all that the others lack: another byte order and long, instances, options, large pages. */
function fullDat(): Uint8Array {
  const little = false;
  const body = new Bytes(little).u32(2).u32((3 << 16) | 20).u16(7).u16(8).text('hi\0').done();
  const record = (i: number) => ({ ts: BigInt(i) << 28n, id: 300, pid: i % 3, body, ...(i % 5 === 0 ? { absolute: true } : {}), ...(i % 7 === 0 ? { discarded: 16, missed: i - 1 } : {}) });
  const cpus = [{ cpu: 0, records: Array.from({ length: 20 }, (_, i) => record(i + 1)) }];
  const shift = new Bytes(little).u64(5).u32(1).u32(1).u32(2).u64(0).u64(900n).u64(3).u64(4).u64(1).u64(1).u64(0).u64(0).done();
  const options = [
    { id: 12, data: shift }, { id: 13, data: new Bytes(little).text('guest\0').u64(6).u32(1).u32(0).u32(9).done() },
    { id: 14, data: new Bytes(little).u32(3).u32(1).u64(0).done() }, { id: 32, data: new TextEncoder().encode('1 2\n\0') },
    { id: 2, data: new TextEncoder().encode('CPU: 0\nentries: 20\noverrun: 3\n\0') },
  ];
  return writeDat({ version: 7, little, longBytes: 4, compression: 'zlib', subBuffer: 8192, formats: [format], cpus, instances: [{ name: 'in', cpus }], options });
} // biome-ignore format: long lines

const latencyDat = (): Uint8Array =>
  writeDat({
    version: 7,
    little: true,
    longBytes: 8,
    compression: 'zlib',
    formats: [format],
    cpus: [],
    latency: `${line('a: x')}\n${line('b: y')}\n`,
  });

/** Seeds by format; several for one format are told apart by a number behind it. */
export const seeds = (): Record<string, Uint8Array> => ({
  'trace-dat': dat(7, true, 'zlib'),
  'trace-dat 2': dat(6, false, 'none'),
  'trace-dat 3': dat(7, true, 'zstd'),
  'trace-dat 4': fullDat(),
  'trace-dat 5': latencyDat(),
  arrow: tables().file,
  'arrow 2': tables().stream,
  'arrow 3': foreign(),
  parquet: parquet(),
  ...Object.fromEntries(
    Object.entries(texts).map(([name, text]) => [name, new TextEncoder().encode(text)]),
  ),
});

const texts: Record<string, string> = {
  ftrace: [
    '# tracer: nop', '# entries-in-buffer/entries-written: 3/10   #P:8',
    line('alloc_vmap_area: va_start: 18446603338380115968 size=20480 align=32768 vstart=0xffff800080000000 vend=0xfffffdffbf800000 failed=0'),
    line('pmd_free_pte_page: (pmd_free_pte_page+0x0/0x48) pmdp=0xffff000000cc6080 addr=0xffff800082000000 pmd=0x1003'),
    line('0xffff800078ae040c: vmix op=huge'), line('<stack trace>'), ' => one', 'CPU:1 [LOST 5 EVENTS]',
    ' 0)   1.382 us    |    leaf(x=0x1); /* = 0xff */', ' 1)  bash-1  =>  sh-2 ', `> ${line('e: x')}`,
    '      ps-6143    2d..1.  259us+: a <-b', '',
  ].join('\n'),
  'ftrace 4': [
    '# tracer: function_graph', '#     TIME        CPU  TASK/PID       ||||     DURATION                  FUNCTION CALLS',
    '  384.905506 |   1)   ping-1556    |  d..2 | + 15.986 us   |  finish_task_switch();', '  384.905617 |   1)   ping-1556    |  .... |               |  f() {',
    '  384.905625 |   1)   ping-1556    |  .... | $ 1234567.8 us |  } /* f */', 'version = 7', 'CPU 2 is empty', 'cpus=4',
    '     ls-9 [000] 12.5: sys_enter_read: fd: 0x3', '# irqsoff latency trace v1.1.5 on 6.12.1', '# latency: 259 us, #4/4, CPU#2 | (M:preempt VP:0, KP:0, SP:0 HP:0 #P:4)', '',
  ].join('\n'),
  'ftrace 5': '# tracer: irqsoff\n            bash    4251   1 0 00000000 00000000 [58127d26] 1730.150ms (+0.000ms): f <-g\n   sh    1   3 1 00000001 00000001 [000000000000bf01] 0 (+7): <stack trace>\n => f\n',
  'ftrace 2': `<!DOCTYPE html>\n<script class="trace-data">\n${line('cpu_idle: state=1')}\n</script>\n`,
  'ftrace 3': `Content-Transfer-Encoding: quoted-printable\n\n${line('cpu_idle: sta=\nte=3D1')}\n`,
  'perf-script': 'a b 1/2 [003] 4.567: 100 cycles:ppp: \n\tffff8 f+0x1 (k)\n\nc 5 [000] 6.0: vmalloc:free_vmap_area_noflush: va_start=0x1000 nr_lazy=1 nr_lazy_max=2\n',
  'perf-script 2': 'a 12 5847.5: page-faults: \n\tffff f+0x1 (k)\n  a.c:5\n:-1 -1 [001] 1.5: PERF_RECORD_LOST lost 3\n s 1 [000] K 1.6: ftrace:print: tracing_mark_write: x\n t 1 [000] 1.7: \n',
  'bpftrace 2': '> @a:\n>     f+1\n>\n@b[\n  f+1\n, c]: \n[1K, 2M)  3 |@@ |\n@n: -4\n',
  dmesg: '[ 1.5] Summary: t passed: 1 failed: 0 loops: 3 avg: 4 usec\n[ 2.0] BUG: sleeping function called from invalid context at a.c:1\n[ 2.1] Call trace:\n[ 2.2]  f+0x1/0x2\n[ 3.0] x\n',
  'dmesg 2': '[Nov26 12:00] a\n[  +0.000012] b\n[  3.0] Dumping ftrace buffer:\n---------------------------------\n    sh-1        1d..1. 12us : e: x\nCPU:1 [LOST 5 EVENTS]\n---------------------------------\n',
  'dmesg 3': '6,1,12,-,caller=T1;a\n SUBSYSTEM=pci\nNov 26 12:00:00.1 host kernel: b\nNov 26 12:00:00 host cron[1]: c\n-- No entries --\n[ 1.5 < 0.5>][ C1] d\n',
  bpftrace: 'Attaching 1 probe...\n@a[b]: 1\n@h:\n[1, 2)  3 |@@ |\n@s[\n  f+1\n]: 2\n',
  csv: 'event,ts_ns,va,detail\na,1,2,"x ""y"" z"\nb,3,,\n',
}; // biome-ignore format: a table

/** The same eight lines of ftrace text, packed by gzip, xz -9e and zstd -19. */
export const packedSeeds = (): Record<string, Uint8Array> => ({
  gz: new Uint8Array(gzipSync(`${line('cpu_idle: state=1')}\n`.repeat(8))),
  xz: Buffer.from(
    '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4AInADxdABBriw0mQ1sBQ8E+qo6CcKxPzxh5pvGJeth6osj+/1Xm3nBzPG13WryePML+i8LZLz2mGWwRk/26YxGDAAAAohoN79dkBqQABWKgEAAAARx297LHEZ/sCAAAAAARZWg==',
    'base64',
  ),
  zst: Buffer.from(
    'KLUv/WQoAfUBAOQCIDxpZGxlPi0wIFswMDFdIGQuLjEuIDAuODEzNjMxOiBjcHVfOiBzdGF0ZT0xCgUA4EhQ5KlVYCWArwBXAFM4MQ==',
    'base64',
  ),
  atrace: new Uint8Array([
    ...new TextEncoder().encode('TRACE:\r\n'),
    ...deflateSync(`${line('cpu_idle: state=1')}\n`.repeat(8)),
  ]),
  'dat.gz': new Uint8Array(gzipSync(dat(7, true, 'zstd'))),
});

/** Files of a kernel's state, which are read apart. */
export const stateSeeds: Readonly<Record<string, string>> = {
  vmallocinfo:
    '0xffff800080000000-0xffff800080005000   20480 gen_pool_add_owner+0x68/0xf0 pages=4 vmalloc N0=4\n0xffff800080005000-0xffff800080007000    8192 unpurged vm_area\n0xffff800081000000-0xffff800081201000 2101248 f+0x1/0x2 phys=0x0000000009000000 ioremap\n',
  kernel_page_tables:
    '0x0000000000000000-0xffff000000000000   16776960T PGD\n---[ Linear Mapping start ]---\n0xffff000000000000-0xffff000000200000           2M PMD       RW NX SHD AF NG     UXN    MEM/NORMAL-TAGGED\n0xffff800080000000-0xffff800080005000          20K PTE       RW NX SHD AF        UXN    MEM/NORMAL\n---[ vmalloc() end ]---\n',
};

/** A small generator of numbers, so that a seed gives the same mutations everywhere. */
export function numbers(seed: number): (below: number) => number {
  let s = seed >>> 0 || 1;
  return (below) => {
    s ^= s << 13;
    s ^= s >>> 17;
    s ^= s << 5;
    return (s >>> 0) % below;
  };
}

const odd = [0, 1, 0x7f, 0x80, 0xff, 0x0a, 0x20, 0x2d, 0x3a, 0x5b];

/** Change a few bytes, words or stretches of a source. */
export function mutate(bytes: Uint8Array, next: (below: number) => number): Uint8Array {
  let out = Uint8Array.from(bytes);
  for (let n = 1 + next(4); n > 0 && out.length > 8; n--) {
    const at = next(out.length);
    switch (next(6)) {
      case 0:
        out[at] = next(256);
        break;
      case 1:
        out[at] = odd[next(odd.length)]!;
        break;
      case 2: // a large or negative number of 4 or 8 bytes
        out.fill(next(2) ? 0xff : 0x7f, at, at + (next(2) ? 4 : 8));
        break;
      case 3:
        out = out.slice(0, at);
        break;
      case 4:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(Math.min(out.length, at + next(64)))]);
        break;
      default:
        out = Uint8Array.from([...out.subarray(0, at), ...out.subarray(next(out.length), next(out.length)), ...out.subarray(at)]);
    }
  }
  return out;
} // biome-ignore format: long lines

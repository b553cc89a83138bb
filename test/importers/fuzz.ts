// Mutations of small whole sources of every format. Used by fuzz.test.ts and, for longer, by
// scripts/fuzz.mjs through the built package.
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

/** Seeds by format; several for one format are told apart by a number behind it. */
export const seeds = (): Record<string, Uint8Array> => ({
  'trace-dat': dat(7, true, 'zlib'),
  'trace-dat 2': dat(6, false, 'none'),
  'trace-dat 3': dat(7, true, 'zstd'),
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
  'ftrace 2': `<!DOCTYPE html>\n<script class="trace-data">\n${line('cpu_idle: state=1')}\n</script>\n`,
  'ftrace 3': `Content-Transfer-Encoding: quoted-printable\n\n${line('cpu_idle: sta=\nte=3D1')}\n`,
  'perf-script': 'a b 1/2 [003] 4.567: 100 cycles:ppp: \n\tffff8 f+0x1 (k)\n\nc 5 [000] 6.0: vmalloc:free_vmap_area_noflush: va_start=0x1000 nr_lazy=1 nr_lazy_max=2\n',
  dmesg: '[ 1.5] Summary: t passed: 1 failed: 0 loops: 3 avg: 4 usec\n[ 2.0] BUG: sleeping function called from invalid context at a.c:1\n[ 2.1] Call trace:\n[ 2.2]  f+0x1/0x2\n[ 3.0] x\n',
  bpftrace: 'Attaching 1 probe...\n@a[b]: 1\n@h:\n[1, 2)  3 |@@ |\n@s[\n  f+1\n]: 2\n',
  csv: 'event,ts_ns,va,detail\na,1,2,"x ""y"" z"\nb,3,,\n',
}; // biome-ignore format: a table

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

import { expect, test } from 'vitest';
import { readBytes, rowsOf } from '../traces.js';
import { Bytes, type FieldSpec, writeDat } from './dat-writer.js';

const field = (type: string, name: string, size: number, signed = false): FieldSpec => ({
  type, name, size, signed,
}); // biome-ignore format: short

const fields = [
  field('u32', 'n', 4),
  field('s32', 'minus', 4, true),
  field('u64', 'wide', 8),
  field('u8[16]', 'id', 16),
  field('u8[16]', 'ip6', 16),
  field('__u8[16]', 'sock4', 16),
  field('__u8[28]', 'sock6', 28),
  field('__data_loc unsigned long[]', 'mask', 4),
  field('__data_loc char[]', 'name', 4),
];

/** Text of one record under a print fmt. */
async function printed(printFmt: string): Promise<{ text: unknown; notes: string[] }> {
  const fixed = 8 + 4 + 4 + 8 + 16 + 16 + 16 + 28 + 4 + 4;
  const name = new TextEncoder().encode('truncated\0');
  const body = new Bytes(true)
    .u32(5).u32(-7 >>> 0).u64(0x1234n)
    .add(Uint8Array.from({ length: 16 }, (_, i) => 0xa0 + i))
    .add(Uint8Array.of(0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x2a))
    .u16(2).add(Uint8Array.of(1, 187, 10, 0, 0, 1)).pad(8 + 48 + 8)
    .u16(10).add(Uint8Array.of(0, 80, 0, 0, 0, 7, 0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1)).u32(3)
    .u32((16 << 16) | fixed).u32((name.length << 16) | (fixed + 16))
    .u64(0x8000_0000_0000_00f2n).u64(1n).add(name).done(); // biome-ignore format: a record
  const formats = [{ system: 's', name: 'ev', id: 300, fields, printFmt }];
  const cpus = [{ cpu: 0, records: [{ ts: 1n, id: 300, pid: 1, body }] }];
  const trace = await readBytes(
    'trace-dat',
    writeDat({ version: 6, little: true, longBytes: 8, formats, cpus }),
  );
  return { text: rowsOf(trace)[0]!['detail'], notes: trace.meta.notes };
}

test.each([
  ['"%.*s|%*d|%-*d|", REC->n, __get_str(name), REC->n, REC->minus, 4, REC->n', 'trunc|   -7|5   |'],
  ['"%#06x %#x %08llx", REC->n, REC->n, REC->wide', '0x0005 0x5 00001234'],
  ['"%pU %pUl %pUB", REC->id, REC->id, REC->id',
    'a0a1a2a3-a4a5-a6a7-a8a9-aaabacadaeaf a3a2a1a0-a5a4-a7a6-a8a9-aaabacadaeaf A0A1A2A3-A4A5-A6A7-A8A9-AAABACADAEAF'],
  ['"%pI6c %pI4 %pM", REC->ip6, REC->ip6, REC->id', '2001:db8::2a 32.1.13.184 a0:a1:a2:a3:a4:a5'],
  ['"%*pbl", 128, __get_dynamic_array(mask)', '1,4-7,63-64'],
  ['"%zu %lu", sizeof(u16), __get_dynamic_array_len(mask) / sizeof(u64)', '2 2'],
  ['"%s", REC->wide >= -9ULL ? "high" : "low"', 'low'],
  ['"%s", REC->n ? __get_str(name) : ((void *)0)', 'truncated'],
  ['"%s", REC->n == 4 ? __get_str(name) : ((void *)0)', '(null)'],
  ['"%u", (uint)(REC->wide) >> 4', '291'],
  ['"%s", __print_flags(REC->n, "|", { 1, "a" }, { 0, ((void *)0) })', 'a|0x4'],
  ['"%*phC|%*phN|%4ph", 3, REC->id, REC->n, REC->id, REC->ip6', 'a0:a1:a2|a0a1a2a3a4|20 01 0d b8'],
  ['"%*ph", __get_dynamic_array_len(name), __get_dynamic_array(name)', '74 72 75 6e 63 61 74 65 64 00'],
  ['"%s %s", __print_dynamic_array(mask, sizeof(u64)), __print_array(__get_dynamic_array(mask), 2, 8)', '{0x80000000000000f2,0x1} {0x80000000000000f2,0x1}'],
  ['"%pISpc %pIS", REC->sock4, REC->sock4', '10.0.0.1:443 10.0.0.1'],
  ['"%pISpfsc|%pISc|%pIS", REC->sock6, REC->sock6, REC->sock6', '[fe80::1]:80/7%3|fe80::1|fe80:0000:0000:0000:0000:0000:0000:0001'],
  ['"%pISp", REC->id', '(einval)'],
  ['"%llu.%09u", __print_ns_to_secs(REC->wide * 1000000), __print_ns_without_secs(REC->wide * 1000000)', '4.660000000'],
  ['"%s", __print_symbolic(REC->n, { TCP_FIN_WAIT2, "FIN_WAIT2" }, { TCP_CLOSE, "CLOSE" })', 'FIN_WAIT2'],
])('%s', async (printFmt, text) => {
  expect(await printed(printFmt)).toEqual({ text, notes: [] });
}); // biome-ignore format: a table

test.each([
  ['"n=%u page=%p", REC->n, (((struct page *)vmemmap_base) + (REC->wide))', 'n=5 page=<wide=4660>', 'the name vmemmap_base'],
  ['"n=%u t=%u", REC->n, jiffies_to_msecs(REC->wide)', 'n=5 t=<wide=4660>', 'the function jiffies_to_msecs()'],
  ['"n=%u m=%d", REC->n, ({ int x = (REC->wide); x; })', 'n=5 m=<wide=4660>', 'statements in an expression'],
  ['"%s", __print_symbolic(REC->n, { SOME_ENUM, "some" }, { 6, "six" })', '0x5', 'the name SOME_ENUM'],
  ['"n=%u a=%pd", REC->n, REC->id', 'n=5 a=<id=ARRAY[a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, aa, ab, ac, ad, ae, af]>', '%pd'],
])('what only the kernel knows: %s', async (printFmt, text, why) => {
  const got = await printed(printFmt);
  expect(got.text).toBe(text);
  expect(got.notes).toEqual([`ev: its print fmt was not wholly evaluated (${why}); raw fields stand there`]);
}); // biome-ignore format: a table

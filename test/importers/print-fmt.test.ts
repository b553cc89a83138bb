import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readBytes, rowsOf } from '../traces.js';
import { cExpression, cFields } from './c-expression.js';
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
  // the kernel's printf, where it is not that of C: lib/vsprintf.c number(), pointer_string()
  ['"%#x %#o %#X|%.3d|%+d % d|%5.3d|%-6.2x|%.*d", REC->n - 5, REC->n, REC->n, REC->minus, REC->n, REC->n, REC->n, REC->n, 4, REC->n',
    '0x0 05 0X5|-007|+5  5|  005|05    |0005'],
  ['"%p|%10p|%-20px|%pK", (void *)REC->wide, (void *)REC->wide, (void *)REC->wide, (void *)REC->wide',
    '0000000000001234|      1234|1234                |0000000000001234'],
  ['"%05s|%3c|%-3c|", __get_str(name), \'a\', REC->n + \'\\x41\'', 'truncated|  a|F  |'],
  ['"%pI4h %pI4n %pi4 %pI4l|%pI6c", REC->id, REC->id, REC->ip6, REC->ip6, REC->id',
    '163.162.161.160 160.161.162.163 032.001.013.184 184.13.1.32|a0a1:a2a3:a4a5:a6a7:a8a9:aaab:acad:aeaf'],
  ['"%pa %pap %pad %pNF", &REC->wide, &REC->n, &REC->wide, &REC->wide', '0x0000000000001234 0x00000005 0x0000000000001234 0x0000000000001234'],
  ['"%*pb|%*pbl|%*pb", 68, __get_dynamic_array(mask), 6, __get_dynamic_array(mask), 7, __get_dynamic_array(mask)', '1,80000000,000000f2|1,4-5|72'],
  ['"%*pbl", nr_cpu_ids, __get_dynamic_array(mask)', '1,4-7,63-64'],
  // names of values and bits: unsigned longs, and a list ends at the first without a name
  ['"%s", __print_symbolic(REC->minus, { -7, "minus" })', 'minus'],
  ['"%s", __print_symbolic(REC->minus, { 7, "seven" }, { 0, ((void *)0) }, { -7, "hidden" })', '0xfffffffffffffff9'],
  ['"%s", __print_symbolic(REC->n, { 5, "" }, { }, { 5, "five" })', '0x5'],
  ['"%s|%s", __print_flags(REC->n, "|", { 0, "none" }, { 1, "a" }), __print_flags(REC->n - 5, "|", { 0, "none" })', 'none|a|0x4|'],
  ['"%s", __print_flags(REC->minus, "|", { 1, "a" }, { 1UL << 63, "top" })', 'a|top|0x7ffffffffffffff8'],
  ['"%s", __print_symbolic(REC->n == 5 ? HRTIMER_MODE_REL_PINNED_SOFT : false, { HRTIMER_MODE_REL_PINNED_SOFT, "REL" })', 'REL'],
  // arrays, through casts and pointers
  ['"%u %u %u", ((u16 *)REC->id)[1], *(u8 *)__get_dynamic_array(mask), ((u64 *)__get_dynamic_array(mask))[1]', '41890 242 1'],
  ['"%s %c %s", (char *)__get_dynamic_array(name), __get_str(name)[2], __get_str(name)[0] ? "set" : "empty"', 'truncated u set'],
  ['"%llu", (unsigned long long)(((ktime_t) { .tv64 = REC->wide }).tv64)', '4660'],
  ['"%llx", (dma_addr_t)(REC->wide << 40)', '12340000000000'],
  ['"%u %x", (__builtin_constant_p(REC->n) ? 0 : __fswab16(REC->n)), __builtin_bswap32(REC->n)', '1280 5000000'],
])('%s', async (printFmt, text) => {
  expect(await printed(printFmt)).toEqual({ text, notes: [] });
}); // biome-ignore format: a table

test.each([
  ['"n=%u page=%p", REC->n, (((struct page *)vmemmap_base) + (REC->wide))', 'n=5 page=<wide=4660>', 'the name vmemmap_base'],
  ['"n=%u t=%u", REC->n, jiffies_to_msecs(REC->wide)', 'n=5 t=<wide=4660>', 'the function jiffies_to_msecs()'],
  ['"n=%u m=%d", REC->n, ({ int x = (REC->wide); x; })', 'n=5 m=<wide=4660>', 'statements in an expression'],
  ['"%s", __print_symbolic(REC->n, { SOME_ENUM, "some" }, { 6, "six" })', '0x5', 'the name SOME_ENUM'],
  // a pointer moves by the size of a structure, which a format does not say
  ['"n=%u page=%p", REC->n, (((struct page *)(0xffffea0000000000UL)) + (REC->wide))', 'n=5 page=<wide=4660>', 'arithmetic with a pointer'],
  ['"n=%u x=%d", REC->n, REC->n.x', 'n=5 x=<n=5>', 'a member of a structure'],
  ['"n=%u a=%pe", REC->n, (void *)REC->wide', 'n=5 a=<wide=4660>', '%pe'],
  ['"n=%u a=%pd", REC->n, REC->id', 'n=5 a=<id=ARRAY[a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, aa, ab, ac, ad, ae, af]>', '%pd'],
])('what only the kernel knows: %s', async (printFmt, text, why) => {
  const got = await printed(printFmt);
  expect(got.text).toBe(text);
  expect(got.notes).toEqual([`ev: its print fmt was not wholly evaluated (${why}); raw fields stand there`]);
}); // biome-ignore format: a table

const bodies = fc.array(fc.bigInt(0n, (1n << 64n) - 1n), {
  minLength: cFields.length,
  maxLength: cFields.length,
});

/** Every conversion, with the type that it takes its argument as. */
const formsOf = (text: string): [form: string, bits: number, signed: boolean][] => [
  [`"%lld", (long long)${text}`, 64, true],
  [`"%llx", (unsigned long long)${text}`, 64, false],
  [`"%d", ${text}`, 32, true],
  [`"%hhu", ${text}`, 8, false],
];

test('expressions have the values that C gives them, with a long of 32 and of 64 bits', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(cExpression, { minLength: 20, maxLength: 20 }),
      bodies,
      fc.boolean(),
      fc.constantFrom(4 as const, 8 as const),
      async (expressions, values, little, longBytes) => {
        const body = new Bytes(little);
        for (const [i, f] of cFields.entries()) body.int(f.bits / 8, values[i]!);
        const all = expressions.flatMap((e) => formsOf(e.text).map((form) => ({ e, form })));
        const specs = cFields.map((f) => field(f.type, f.name, f.bits / 8, f.signed));
        const formats = all.map(({ form }, i) => ({ system: 's', name: `ev${i}`, id: 300 + i, fields: specs, printFmt: form[0] }));
        const records = all.map((_, i) => ({ ts: BigInt(i + 1), id: 300 + i, pid: 1, body: body.done() }));
        const dat = writeDat({ version: 6, little, longBytes, formats, cpus: [{ cpu: 0, records }] });
        const trace = await readBytes('trace-dat', dat);
        const known = new Map(cFields.map((f, i) => [f.name, values[i]!]));
        const wanted = all.map(({ e, form: [text, bits, signed] }) => {
          const { v } = e.value(known, longBytes * 8);
          const cut = signed ? BigInt.asIntN(bits, v) : BigInt.asUintN(bits, v);
          return [text, cut.toString(text.startsWith('"%llx') ? 16 : 10)];
        });
        const got = rowsOf(trace).map((r, i) => [all[i]!.form[0], r['detail']]);
        expect(got).toEqual(wanted);
        expect(trace.meta.notes).toEqual([]);
      },
    ),
    { numRuns: 40 },
  );
}); // biome-ignore format: short

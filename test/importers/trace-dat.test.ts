import fc from 'fast-check';
import { expect, test } from 'vitest';
import { gapSpans } from '../../src/events/gaps.js';
import { shapes } from '../../src/events/shapes.js';
import { FormatError } from '../../src/importers/importer.js';
import { readBytes, readFtrace, rowsOf } from '../traces.js';
import { Bytes, type DatSpec, type FormatSpec, pageSize, writeDat } from './dat-writer.js';

const read = (d: DatSpec) => readBytes('trace-dat', writeDat(d));

const integer = (bytes: number, signed: boolean) => {
  const [low, high] = signed
    ? [-(1n << BigInt(bytes * 8 - 1)), (1n << BigInt(bytes * 8 - 1)) - 1n]
    : [0n, (1n << BigInt(bytes * 8)) - 1n];
  const size = bytes === 8 ? 'll' : '';
  const conversion = signed ? `%${size}d` : fc.constantFrom(`%${size}u`, `0x%${size}x`);
  return fc.record({
    value: fc.bigInt(low, high),
    type: fc.constant(`${signed ? 's' : 'u'}${bytes * 8}`),
    size: fc.constant(bytes),
    signed: fc.constant(signed),
    conversion: typeof conversion === 'string' ? fc.constant(conversion) : conversion,
  });
};

const word = fc.string({ unit: fc.constantFrom(...'abcXYZ 019_-:=é'), maxLength: 9 });

const anyField = fc.oneof(
  ...[1, 2, 4, 8].flatMap((n) => [integer(n, true), integer(n, false)]),
  word.map((value) => ({ value, type: 'char[20]', size: 20, signed: false, conversion: '%s' })),
  word.map((value) => ({ value, type: '__data_loc char[]', size: 4, signed: false, conversion: '%s' })),
  word.map((value) => ({ value, type: '__rel_loc char[]', size: 4, signed: false, conversion: '%s' })),
  fc.array(fc.bigInt(0n, 0xffffn), { minLength: 1, maxLength: 4 }).map((value) => ({
    value, type: `u16[${value.length}]`, size: 2 * value.length, signed: false, conversion: '%s',
  })),
); // biome-ignore format: a table

type Any = typeof anyField extends fc.Arbitrary<infer T> ? T : never;

/** Text that printf gives for the field, by its definition. */
function printed(f: Any): string {
  if (typeof f.value === 'string') return f.value;
  if (Array.isArray(f.value))
    return `{${f.value.map((v: bigint) => `0x${v.toString(16)}`).join(',')}}`;
  const v = f.value as bigint;
  return f.conversion.startsWith('0x') ? `0x${v.toString(16)}` : v.toString();
}

function argument(f: Any, name: string): string {
  if (f.type.startsWith('__data_loc')) return `__get_str(${name})`;
  if (f.type.startsWith('__rel_loc')) return `__get_rel_str(${name})`;
  if (Array.isArray(f.value)) return `__print_array(REC->${name}, ${f.value.length}, 2)`;
  return `REC->${name}`;
}

/** Bytes of a record's fields, dynamic ones behind the fixed. */
function bodyOf(fields: readonly Any[], little: boolean): Uint8Array {
  const fixed = fields.reduce((n, f) => n + f.size, 0);
  const out = new Bytes(little);
  const tail = new Bytes(little);
  for (const f of fields) {
    if (f.type.startsWith('__')) {
      const bytes = new TextEncoder().encode(`${f.value as string}\0`);
      const from = f.type.startsWith('__rel_loc') ? out.length + 4 : -8; // behind the field, or the common ones before
      out.u32((bytes.length << 16) | (fixed + tail.length - from));
      tail.add(bytes);
    } else if (typeof f.value === 'string') {
      const bytes = new Uint8Array(f.size);
      bytes.set(new TextEncoder().encode(f.value));
      out.add(bytes);
    } else if (Array.isArray(f.value)) for (const v of f.value as bigint[]) out.int(2, v);
    else out.int(f.size, f.value as bigint);
  }
  return out.add(tail.done()).done();
}

const layout = fc.record({
  version: fc.constantFrom(6 as const, 7 as const),
  little: fc.boolean(),
  longBytes: fc.constantFrom(4 as const, 8 as const),
  compression: fc.constantFrom('none' as const, 'zlib' as const, 'zstd' as const),
});

test('random event formats survive writing and reading, in every layout', async () => {
  await fc.assert(
    fc.asyncProperty(
      layout,
      fc.array(anyField, { minLength: 1, maxLength: 8 }),
      fc.array(fc.tuple(fc.bigInt(0n, 1n << 40n), fc.integer({ min: 0, max: 3 })), { minLength: 1, maxLength: 60 }),
      async (how, fields, stamps) => {
        const specs = fields.map((f, i) => ({ type: f.type, name: `f${i}`, size: f.size, signed: f.signed }));
        const fmt = fields.map((f, i) => `f${i}=${f.conversion}`).join(' ');
        const args = fields.map((f, i) => argument(f, `f${i}`)).join(', ');
        const format: FormatSpec = { system: 'sys', name: 'ev', id: 400, fields: specs, printFmt: `"${fmt}", ${args}` };
        const body = bodyOf(fields, how.little);
        const cpus = [0, 1, 2, 3].map((cpu) => ({
          cpu,
          records: stamps.filter((s) => s[1] === cpu).map((s) => s[0]).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0))
            .map((ts) => ({ ts, id: 400, pid: 7, flags: 1, preempt: 0x12, body })),
        }));
        const trace = await read({ ...how, formats: [format], cpus, cmdlines: '7 my comm\n' });
        const rows = rowsOf(trace);
        const want = stamps.map((s) => s[0]).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        expect(rows.map((r) => r['ts_ns'])).toEqual(want);
        const detail = fields.map((f, i) => `f${i}=${printed(f)}`).join(' ');
        for (const r of rows) expect(r).toMatchObject({ event: 'ev', pid: 7, task: 'my comm', detail });
        expect(trace.meta.unparsed.lines).toBe(0);
        expect(trace.meta.notes).toEqual([]);
      },
    ),
    { numRuns: 150 },
  );
}); // biome-ignore format: long lines

const shapeFormats: Record<string, [string, string][]> = {
  alloc_vmap_area: [['addr', '%lu'], ['size', '%lu'], ['align', '%lu'], ['vstart', '0x%lx'], ['vend', '0x%lx'], ['failed', '%d']],
  free_vmap_area_noflush: [['va_start', '0x%lx'], ['nr_lazy', '%lu'], ['nr_lazy_max', '%lu']],
}; // biome-ignore format: a table

test('known events get the same columns from records as from text', async () => {
  const texts: Record<string, string> = {
    alloc_vmap_area: 'va_start: %lu size=%lu align=%lu vstart=0x%lx vend=0x%lx failed=%d',
    free_vmap_area_noflush: 'va_start=0x%lx nr_lazy=%lu nr_lazy_max=%lu',
  };
  for (const [name, fields] of Object.entries(shapeFormats)) {
    expect(shapes[name], name).toBeDefined();
    const spec = fields.map(([n, c]) => ({ type: c === '%d' ? 'int' : 'unsigned long', name: n, size: c === '%d' ? 4 : 8, signed: c === '%d' }));
    const printFmt = `"${texts[name]}", ${fields.map(([n]) => `REC->${n}`).join(', ')}`;
    await fc.assert(
      fc.asyncProperty(fc.array(fc.oneof(fc.bigInt(0n, (1n << 64n) - 1n), fc.constantFrom(0n, 1n, 1n << 53n, (1n << 53n) + 1n)), { minLength: 6, maxLength: 6 }), fc.boolean(), async (values, little) => {
        const given = fields.map(([, c], i) => (c === '%d' ? values[i]! & 3n : values[i]!));
        const body = new Bytes(little);
        for (const [k, f] of spec.entries()) body.int(f.size, given[k]!);
        let i = 0;
        const text = texts[name]!.replace(/%l?[dux]/g, (c) => given[i++]!.toString(c.endsWith('x') ? 16 : 10));
        const records = [{ ts: 1_000_000n, id: 9, pid: 3, body: body.done() }];
        const dat = await read({ version: 7, little, longBytes: 8, formats: [{ system: 'vmalloc', name, id: 9, fields: spec, printFmt }], cpus: [{ cpu: 0, records }], cmdlines: '3 sh\n' });
        const line = await readFtrace(`              sh-3       [000]     0.001000: ${name}: ${text}\n`);
        const [a] = rowsOf(dat);
        const [b] = rowsOf(line);
        delete a!['flags'];
        expect(a).toEqual(b);
      }),
      { numRuns: 100 },
    );
  }
}); // biome-ignore format: long lines

const prints: FormatSpec[] = [
  { system: 'ftrace', name: 'print', id: 5, fields: [{ type: 'unsigned long', name: 'ip', size: 8, signed: false }, { type: 'char[]', name: 'buf', size: 0, signed: false }], printFmt: '"%ps: %s", (void *)REC->ip, REC->buf' },
  { system: 'ftrace', name: 'bprint', id: 6, fields: [{ type: 'unsigned long', name: 'ip', size: 8, signed: false }, { type: 'const char *', name: 'fmt', size: 8, signed: false }, { type: 'u32[]', name: 'buf', size: 0, signed: false }], printFmt: '"%ps: %s", (void *)REC->ip, REC->fmt' },
  { system: 'ftrace', name: 'function', id: 1, fields: [{ type: 'unsigned long', name: 'ip', size: 8, signed: false }, { type: 'unsigned long', name: 'parent_ip', size: 8, signed: false }], printFmt: '" %ps <-- %ps", (void *)REC->ip, (void *)REC->parent_ip' },
  { system: 'ftrace', name: 'kernel_stack', id: 4, fields: [{ type: 'int', name: 'size', size: 4, signed: true }, { type: 'int', name: 'pad', size: 4, signed: true }, { type: 'unsigned long[8]', name: 'caller', size: 64, signed: false }], printFmt: '"x"' },
  { system: 'kp', name: 'my_probe', id: 700, fields: [{ type: 'unsigned long', name: '__probe_ip', size: 8, signed: false }, { type: 'u64', name: 'x', size: 8, signed: false }], printFmt: '"(%lx) x=0x%Lx", REC->__probe_ip, REC->x' },
  { system: 'kp', name: 'my_ret', id: 701, fields: [{ type: 'unsigned long', name: '__probe_func', size: 8, signed: false }, { type: 'unsigned long', name: '__probe_ret_ip', size: 8, signed: false }], printFmt: '"(%lx <- %lx)", REC->__probe_func, REC->__probe_ret_ip' },
]; // biome-ignore format: long lines

const kallsyms = [
  'ffff800080001000 T _text', 'ffff800080001100 t one', 'ffff800080001100 T one_alias',
  'ffff800080001200 T two', 'ffff800080001300 T tracing_mark_write', 'ffff800080001400 T _end',
  'ffff800078ae0000 t worker\t[vmix]', 'ffff800078ae0100 t other\t[vmix]', '',
].join('\n'); // biome-ignore format: a table

test('prints, marks, functions, stacks and probes, with symbols, as the text has them', async () => {
  for (const little of [true, false]) {
    const b = () => new Bytes(little);
    const va = (low: number) => (0xffff8000n << 32n) | BigInt(0x80000000 + low);
    const text = (t: string) => new TextEncoder().encode(`${t}\0`);
    const args = b().u32(42).u64(0xffff800082000000n).add(text('name')).int(1, 0).pad(0).done();
    const bodies: [number, Uint8Array][] = [
      [5, b().u64(va(0x1320)).add(text('MARK wl_begin\n')).done()],
      [5, b().u64(0x1234n).add(text('hello\n')).done()],
      [6, b().u64(0xffff800078ae0010n).u64(0x77n).add(args).done()],
      [1, b().u64(va(0x1104)).u64(va(0x1208)).done()],
      [4, b().u32(2).u32(0).u64(va(0x1104)).u64(va(0x1208)).u64(-1n).done()],
      [700, b().u64(va(0x1100)).u64(0x2an).done()],
      [701, b().u64(va(0x1200)).u64(va(0x1110)).done()],
      [999, b().u32(0x01020304).done()],
    ];
    const records = bodies.map(([id, body], i) => ({ ts: BigInt(i * 1000), id, pid: 0, body }));
    const trace = await read({ version: 6, little, longBytes: 8, formats: prints, cpus: [{ cpu: 0, records }], kallsyms, printk: '0x77 : "id=%d va=0x%lx %s%%\\n"\n' });
    const rows = rowsOf(trace);
    expect(rows.map((r) => [r['event'], r['at'], r['detail'], r['stack']])).toEqual([
      ['tracing_mark_write', undefined, 'MARK wl_begin', undefined],
      ['print', '0x1234', 'hello', undefined],
      ['worker', undefined, 'id=42 va=0xffff800082000000 name%', undefined],
      ['function', undefined, 'one <-two', undefined],
      ['kernel_stack', undefined, undefined, 'one\ntwo'],
      ['my_probe', 'one+0x0/0x100', 'x=0x2a', undefined],
      ['my_ret', 'one+0x10/0x100 <- two', undefined, undefined],
      ['unknown:999', undefined, little ? '04030201' : '01020304', undefined],
    ]);
    expect(rows[0]).toMatchObject({ task: '<idle>', flags: '....' });
    expect(trace.meta.notes).toEqual(['unknown:999: 1 events whose format the file lacks; kept as bytes']);
  }
}); // biome-ignore format: long lines

const plain: FormatSpec = {
  system: 's',
  name: 'ev',
  id: 300,
  fields: [{ type: 'u32', name: 'a', size: 4, signed: false }],
  printFmt: '"a=%u", REC->a',
};
const at = (ts: bigint) => ({ ts, id: 300, pid: 1, body: Uint8Array.of(1, 0, 0, 0) });
const base = { version: 7, little: true, longBytes: 8, formats: [plain] } as const;
const text0 = (t: string) => new TextEncoder().encode(`${t}\0`);

test('lost events are counted by CPU, and their places kept', async () => {
  const cpus = [
    { cpu: 0, records: [at(10n), at(20n)] },
    { cpu: 2, records: [at(15n)], missed: 5 },
    { cpu: 3, records: [at(16n)], missed: -1 },
  ];
  const stats =
    'CPU: 3\nentries: 0\noverrun: 7\ncommit overrun: 0\nread events: 9\ndropped events: 1';
  const trace = await read({ ...base, cpus, options: [{ id: 2, data: text0(stats) }] });
  expect(trace.meta).toMatchObject({
    lost: 13,
    lost_per_cpu: { 2: 5, 3: 8 },
    stated: 9,
    gaps: [
      { cpu: 2, seq: 1, lost: 5 },
      { cpu: 3, seq: 2, lost: null },
    ],
  });
});

test('what a damaged CPU lacks is a gap behind its last event', async () => {
  const cpus = [0, 1].map((cpu) => ({ cpu, records: Array.from({ length: 600 }, (_, i) => at(BigInt(i * 10 + cpu))) }));
  const bytes = writeDat({ ...base, cpus });
  const second = bytes.length - 2 * pageSize; // CPU 1 has three pages; the second has no sound header
  bytes.fill(0xff, second + 8, second + 16);
  const trace = await readBytes('trace-dat', bytes);
  const { meta } = trace;
  expect(meta.unparsed.lines).toBe(1);
  const left = meta.seen - 600;
  expect(left).toBeGreaterThan(100);
  expect(gapSpans(trace)).toMatchObject([{ cpu: 1, lost: null, from_ns: (left - 1) * 10 + 1, to_ns: null }]);
}); // biome-ignore format: long lines

test('clocks: TSC, date and offset; instances name their rows', async () => {
  const cpus = [{ cpu: 0, records: [at(123456789n), at(1n << 58n)] }];
  const ts = async (options: DatSpec['options']) =>
    rowsOf(await read({ ...base, cpus, options: options! }))[0]!['ts_ns'];
  const tsc = new Bytes(true).u32(2000).u32(3).u64(1000000).done();
  expect(await ts([{ id: 14, data: tsc }])).toBe(30_864_197_250n);
  expect(await ts([{ id: 1, data: text0('0x100') }])).toBe(123_712_789n);
  expect(await ts([{ id: 7, data: text0('-5000') }])).toBe(123_451_789n);
  for (const version of [6, 7] as const) {
    const instances = [{ name: 'inner', cpus: [{ cpu: 0, records: [at(5n), at(1n << 57n)] }] }];
    const rows = rowsOf(await read({ ...base, version, cpus, instances }));
    expect(rows.map((r) => r['source'])).toEqual(['inner', undefined, 'inner', undefined]);
    expect(rows.at(-1)!['ts_ns']).toBe(1n << 58n);
  }
});

const sampleDat = (): Uint8Array =>
  writeDat({
    version: 7,
    little: true,
    longBytes: 8,
    compression: 'zlib',
    formats: [plain, ...prints],
    kallsyms,
    cmdlines: '1 init\n',
    cpus: [0, 1].map((cpu) => ({ cpu, records: Array.from({ length: 300 }, (_, i) => at(BigInt(i * 999))) })),
  }); // biome-ignore format: long lines

test('every truncation gives a clear error or fewer events, never more', async () => {
  for (const whole of [sampleDat(), writeDat({ ...base, version: 6, cpus: [{ cpu: 0, records: [at(1n), at(2n)] }] })]) {
    const step = Math.ceil(whole.length / 150);
    for (let n = 0; n < whole.length; n += step) {
      const got = await readBytes('trace-dat', whole.subarray(0, n)).catch((e) => e);
      if (got instanceof Error) expect(got).toBeInstanceOf(FormatError);
      else expect(got.meta.seen).toBeLessThanOrEqual(600);
    }
  }
}); // biome-ignore format: long lines

// Function graph records of trace.dat have the columns that the tracer's text has.
import { expect, test } from 'vitest';
import { readBytes, rowsOf } from '../traces.js';
import { Bytes, type FieldSpec, type FormatSpec, writeDat } from './dat-writer.js';

const field = (type: string, name: string, size: number, signed = false): FieldSpec => ({
  type, name, size, signed,
}); // biome-ignore format: short

const formats = (long: number): FormatSpec[] => [
  { system: 'ftrace', name: 'funcgraph_entry', id: 11, printFmt: '"--> %ps (%d)", (void *)REC->func, REC->depth',
    fields: [field('unsigned long', 'func', long), field('int', 'depth', 4, true), field('unsigned long[]', 'args', 0)] },
  { system: 'ftrace', name: 'funcgraph_exit', id: 10, printFmt: '"x"',
    fields: [field('unsigned long', 'func', long), field('unsigned long', 'retval', long), field('int', 'depth', 4, true), field('unsigned int', 'overrun', 4),
      field('unsigned long long', 'calltime', 8), field('unsigned long long', 'rettime', 8)] },
]; // biome-ignore format: a table

test.each([
  [true, 8],
  [false, 8],
  [true, 4],
  [false, 4],
] as const)('entry, exit, duration, return value, arguments (little-endian %s, %s bytes)', async (little, longBytes) => {
  const b = () => new Bytes(little);
  const base = longBytes === 8 ? 0xffff800080000000n : 0x80000000n;
  const start = (1n << 54n) + 1n; // beyond what a double holds
  const exit = (func: bigint, ret: bigint, overrun: number, ns: bigint) =>
    b().int(longBytes, func).int(longBytes, ret).u32(2).u32(overrun).u64(start).u64(start + ns).done();
  const bodies: [number, Uint8Array][] = [
    [11, b().int(longBytes, base + 0x1000n).u32(1).done()],
    [11, b().int(longBytes, base + 0x2000n).u32(2).int(longBytes, 1).int(longBytes, 0xabcn).done()],
    [10, exit(base + 0x2000n, -14n, 0, 4992n)],
    [10, exit(base + 0x1000n, 7n, 3, 1n)],
    [10, exit(0x10n, 0n, 0, -5n)],
    [10, b().int(longBytes, base).done()],
  ];
  const records = bodies.map(([id, body], i) => ({ ts: BigInt(i), id, pid: 1, body }));
  const hex = (v: bigint) => v.toString(16).padStart(16, '0');
  const kallsyms = `${hex(base + 0x1000n)} t outer\t[vmix]\n${hex(base + 0x2000n)} T inner\n${hex(base + 0x3000n)} T end\n`;
  const trace = await readBytes('trace-dat', writeDat({ version: 7, little, longBytes, formats: formats(longBytes), cpus: [{ cpu: 0, records }], kallsyms }));
  expect(rowsOf(trace).map((r) => [r['event'], r['at'], r['detail'], r['duration_ns'], r['ret']]).slice(0, 5)).toEqual([
    ['funcgraph_entry', 'outer [vmix]', 'depth=1', undefined, undefined],
    ['funcgraph_entry', 'inner', 'depth=2 args=(0x1, 0xabc)', undefined, undefined],
    ['funcgraph_exit', 'inner', 'depth=2', 4992, longBytes === 8 ? -14n : 0xfffffff2n],
    ['funcgraph_exit', 'outer [vmix]', 'depth=2 overrun=3', 1, 7n],
    ['funcgraph_exit', '0x10', 'depth=2', undefined, 0n],
  ]);
  expect(trace.meta.unparsed.lines).toBe(1); // the last record is too short
}); // biome-ignore format: long lines

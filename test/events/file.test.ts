import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { tableFromIPC } from 'apache-arrow';
import { fromArrow } from 'arquero';
import { expect, test } from 'vitest';
import { fileWriter, memoryWriter, readTrace } from '../../src/events/file.js';
import {
  addRow,
  batchRows,
  type Log,
  setBool,
  setDict,
  setF64,
  setInt,
  setText,
  setTextBytes,
  setU64,
  setVa,
} from '../../src/events/log.js';
import { newMeta } from '../../src/events/meta.js';
import { type Column, columnNames, columns, schemaTable } from '../../src/events/schema.js';
import { newTrace, type Trace } from '../../src/events/trace.js';

const folder = () => mkdtempSync(join(tmpdir(), 'ptlab-'));

/** Rows that use every kind of column; new names keep appearing, so dictionaries grow. */
function fill(log: Log, rows: number): void {
  for (let i = 0; i < rows; i++) {
    addRow(log, i >>> 16, i * 65537, log.dicts.event.intern(`event${i % 7}`));
    if (i % 3 === 0) setVa(log, 0xffff8000, i * 4096);
    if (i % 5 === 0) setText(log, 'detail', `row ${i} é`);
    if (i % 100 === 0) setDict(log, 'task', `task ${i}`);
    if (i % 2 === 0) setBool(log, 'ok', i % 4 === 0);
    setInt(log, 'cpu', i % 64);
    setF64(log, 'size_bytes', i);
  }
}

function check(trace: Trace, rows: number, total = rows): void {
  expect(trace.table.numRows).toBe(total);
  for (const i of [0, 1, 15, batchRows - 1, batchRows, rows - 1].filter((r) => r < rows)) {
    const row = trace.table.get(i)!.toJSON();
    expect(row).toMatchObject({
      seq: i,
      ts_ns: (BigInt(i >>> 16) << 32n) + BigInt((i * 65537) >>> 0),
      event: `event${i % 7}`,
      cpu: i % 64,
      size_bytes: i,
      detail: i % 5 === 0 ? `row ${i} é` : null,
      task: i % 100 === 0 ? `task ${i}` : null,
      ok: i % 2 === 0 ? i % 4 === 0 : null,
      va: i % 3 === 0 ? (0xffff8000n << 32n) + BigInt((i * 4096) >>> 0) : null,
    });
  }
}

test('a file written in batches reads back, also with other Arrow readers', () => {
  const path = join(folder(), 'x.arrow');
  const meta = newMeta('made', 'run');
  const rows = batchRows * 2 + 1234;
  const w = fileWriter(path, meta);
  fill(w.log, rows);
  expect(existsSync(`${path}.part`)).toBe(true);
  expect(existsSync(path)).toBe(false);
  w.finish({ ...meta, kernel: '6.12', stated: 5 });
  expect(existsSync(`${path}.part`)).toBe(false);
  const trace = readTrace(path);
  expect(trace.meta).toMatchObject({ seen: rows, complete: true, kernel: '6.12', stated: 5 });
  expect(trace.batches.length).toBe(3);
  check(trace, rows);
  const bytes = readFileSync(path);
  check(newTrace(meta, [...tableFromIPC(bytes).batches]), rows);
  const aq = fromArrow(bytes, { useBigInt: true });
  expect(aq.numRows()).toBe(rows);
  expect(aq.get('task', 200)).toBe('task 200');
  expect(aq.get('va', 3)).toBe((0xffff8000n << 32n) + 3n * 4096n);
});

test('a killed writer leaves all whole batches, and the file says so', () => {
  const path = join(folder(), 'x.arrow');
  const w = fileWriter(path, newMeta('made', 'run'));
  fill(w.log, batchRows * 2 + 10);
  expect(tableFromIPC(readFileSync(`${path}.part`)).numRows).toBe(batchRows * 2); // a plain stream
  const copy = `${path}.left`;
  copyFileSync(`${path}.part`, copy);
  const trace = readTrace(copy);
  check(trace, batchRows * 2);
  expect(trace.meta.complete).toBe(false);
  expect(trace.meta.notes.join()).toMatch(/truncated: 131072 events in 2 whole batches/);
});

test('a file cut anywhere gives its whole batches or a clear error', () => {
  const path = join(folder(), 'x.arrow');
  const meta = newMeta('made', 'run');
  const w = fileWriter(path, meta);
  fill(w.log, batchRows + 500);
  w.finish(meta);
  const bytes = readFileSync(path);
  for (const keep of [bytes.length - 1, bytes.length - 5000, bytes.length >> 1, 400_000]) {
    const cut = `${path}.cut`;
    writeFileSync(cut, bytes);
    truncateSync(cut, keep);
    const trace = readTrace(cut);
    expect([0, batchRows, batchRows + 500]).toContain(trace.table.numRows);
    expect(trace.meta.complete).toBe(false);
  }
  for (const keep of [0, 5, 8, 100, 2000, 20_000]) {
    truncateSync(`${path}.cut`, keep);
    expect(() => readTrace(`${path}.cut`), `${keep} bytes`).toThrow();
  }
});

test('a file is the same table for other readers, sealed in place or copied', () => {
  for (const names of [3, 60_000]) {
    const path = join(folder(), 'x.arrow');
    const meta = newMeta('made', 'run');
    const w = fileWriter(path, meta);
    fill(w.log, batchRows + 500);
    for (let i = 0; i < names; i++) {
      addRow(w.log, 0, i, w.log.dicts.event.intern(`a long name of an event ${i}`)); // beyond what was reserved
    }
    w.finish(meta);
    const bytes = readFileSync(path);
    const rows = batchRows + 500 + names;
    check(readTrace(path), batchRows + 500, rows);
    expect(readTrace(path).meta.complete).toBe(true);
    const table = tableFromIPC(bytes);
    const other = fromArrow(bytes, { useBigInt: true });
    expect([table.numRows, other.numRows()]).toEqual([rows, rows]);
    for (const i of [0, batchRows, batchRows + 499, rows - 1]) {
      const want = table.get(i)!.toJSON();
      for (const n of ['seq', 'ts_ns', 'event', 'task', 'va', 'detail']) {
        expect(other.get(n, i) ?? null, `${n} of row ${i}`).toEqual(want[n] ?? null);
      }
    }
    expect(table.get(rows - 1)!.event).toBe(`a long name of an event ${names - 1}`);
  }
});

test('an Arrow file of someone else is refused by name', () => {
  const path = join(folder(), 'x.arrow');
  writeFileSync(path, fromArrowless());
  expect(() => readTrace(path)).toThrow('not a ptlab trace');
});

function fromArrowless(): Uint8Array {
  const t = fromArrow(memoryWriterBytes(), { useBigInt: true }).select('cpu');
  return t.toArrowIPC() as Uint8Array;
}

function memoryWriterBytes(): Uint8Array {
  const path = join(folder(), 'y.arrow');
  const meta = newMeta('made', 'run');
  const w = fileWriter(path, meta);
  fill(w.log, 10);
  w.finish(meta);
  return readFileSync(path);
}

test('64-bit values are exact, and bytes that are no UTF-8 are kept', () => {
  const meta = newMeta('made', 'run');
  const w = memoryWriter(meta);
  addRow(w.log, 0x7fffffff, 0xffffffff, w.log.dicts.event.intern('e'));
  setVa(w.log, 0xffffffff, 0xfffff000);
  setU64(w.log, 'ret', 0xffffffff, 0xffffffff);
  const raw = Uint8Array.of(0x61, 0xff, 0x62, 0xc3, 0xa9);
  setTextBytes(w.log, 'detail', raw, 0, 2);
  setInt(w.log, 'task', w.log.dicts.task.internBytes(raw, 1, 5));
  const row = w.finish(meta).table.get(0)!.toJSON();
  expect(row).toMatchObject({
    ts_ns: 0x7fffffffffffffffn,
    va: 0xfffffffffffff000n,
    va_page: 0xfffffffffffff,
    ret: -1n,
    detail: 'a\\xff',
    task: '\\xffb\\xc3\\xa9',
  });
});

test('every column says what it means', () => {
  for (const n of columnNames) {
    const c = columns[n] as Column;
    expect(c.meaning.length, n).toBeGreaterThan(5);
    const unit = /_(ns|bytes)$/.exec(n)?.[1];
    if (unit) expect(c.unit, n).toBe(unit);
  }
  expect(schemaTable().split('\n').length).toBe(columnNames.length + 2);
});

test('a batch in which no row sets a column, between batches in which some do', () => {
  const path = join(folder(), 'x.arrow');
  const meta = newMeta('made', 'run');
  const w = fileWriter(path, meta);
  const rows = 3 * batchRows;
  const has = (i: number): boolean => i === 7 || i === rows - 1;
  for (let i = 0; i < rows; i++) {
    addRow(w.log, 0, i, w.log.dicts.event.intern('e'));
    if (!has(i)) continue;
    setText(w.log, 'detail', `row ${i}`);
    setInt(w.log, 'cpu', 3);
  }
  w.finish(meta);
  const trace = readTrace(path);
  expect(trace.meta.notes).toEqual([]);
  const detail = trace.batches.map((b) => b.getChild('detail')!);
  expect(detail.map((d) => [...d].filter((t) => t !== null))).toEqual([
    ['row 7'],
    [],
    [`row ${rows - 1}`],
  ]);
  const cpu = trace.batches.map((b) => b.getChild('cpu')!);
  expect(cpu.map((c) => [...c].filter((v) => v !== null))).toEqual([[3], [], [3]]);
});

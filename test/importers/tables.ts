// One small trace as Arrow file and stream, and a table of another tool.
import { Field, List, tableFromArrays, tableToIPC, Utf8, vectorFromArray } from 'apache-arrow';
import { arrowSchema, newDictionaries, toRecordBatch } from '../../src/events/arrow.js';
import { memoryWriter } from '../../src/events/file.js';
import { IpcWriter } from '../../src/events/ipc.js';
import {
  addRow,
  endLog,
  type Log,
  newLog,
  setBool,
  setDict,
  setF64,
  setInt,
  setText,
  setVa,
} from '../../src/events/log.js';
import { newMeta } from '../../src/events/meta.js';
import { writeParquet } from '../../src/events/parquet.js';

function fill(log: Log): void {
  for (let i = 0; i < 40; i++) {
    addRow(log, 1, i * 1000, log.dicts.event.intern(`event${i % 5}`));
    setInt(log, 'cpu', i % 4);
    setF64(log, 'size_bytes', i * 4096);
    if (i % 2) setDict(log, 'task', `task ${i}`);
    if (i % 3) setVa(log, 0xffff8000, i * 4096);
    if (i % 4) setText(log, 'detail', `row ${i} é`);
    if (i % 5) setBool(log, 'ok', i % 2 === 0);
  }
}

/** The same 40 rows as a finished file and as a stream without an end. */
export function tables(): { file: Uint8Array; stream: Uint8Array } {
  const meta = { ...newMeta('made', 'run'), seen: 40, complete: true };
  const schema = arrowSchema(meta);
  const dictionaries = newDictionaries();
  const parts: Uint8Array[] = [];
  const log: Log = newLog((b) => ipc.append(toRecordBatch(b, log, dictionaries, schema)));
  const ipc = new IpcWriter(schema, log.dicts, (b) => parts.push(b.slice()), false);
  fill(log);
  endLog(log);
  const stream = Uint8Array.from(Buffer.concat(parts));
  const { head, tail } = ipc.seal(schema, log.dicts);
  const file = Uint8Array.from(Buffer.concat([stream, tail]));
  file.set(head);
  return { file, stream };
}

/** The same 40 rows as Parquet. */
export function parquet(): Uint8Array {
  const meta = newMeta('made', 'run');
  const writer = memoryWriter(meta);
  fill(writer.log);
  const parts: Uint8Array[] = [];
  writeParquet(writer.finish(meta), (b) => parts.push(b.slice()));
  return Uint8Array.from(Buffer.concat(parts));
}

/** What another tool may write: other widths, and columns that are none of a trace. */
export function foreign(): Uint8Array {
  const list = new List(new Field('item', new Utf8()));
  const t = tableFromArrays({
    ts_ns: BigInt64Array.from({ length: 20 }, (_, i) => BigInt(i)),
    cpu: Int8Array.from({ length: 20 }, (_, i) => i % 4),
    va: BigUint64Array.from({ length: 20 }, (_, i) => BigInt(i) << 50n),
  }).assign(
    tableFromArrays({
      event: vectorFromArray(Array.from({ length: 20 }, (_, i) => `e${i % 3}`)),
      detail: vectorFromArray(
        Array.from({ length: 20 }, (_, i) => (i % 3 ? `d${i}` : null)),
        new Utf8(),
      ),
      words: vectorFromArray(
        Array.from({ length: 20 }, (_, i) => ['a', `b${i}`]),
        list,
      ),
    } as never),
  );
  return tableToIPC(t as never, 'file');
}

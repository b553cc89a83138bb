import {
  addRow,
  type Log,
  setBool,
  setDict,
  setF64,
  setInt,
  setText,
  setU64,
  setVa,
} from './log.js';
import { type ColumnName, columns, type NameOf } from './schema.js';

/** Who ran an event, and when. */
export interface Stamp {
  readonly ts_ns: bigint;
  readonly cpu: number;
  readonly pid: number;
  readonly task: string;
}

/** What one cell may be given: 64-bit columns take a bigint. */
export type Cell = number | bigint | string | boolean;

const high = (v: bigint): number => Number((v >> 32n) & 0xffffffffn) | 0;
const low = (v: bigint): number => Number(v & 0xffffffffn) | 0;

function setCell(log: Log, name: ColumnName, value: Cell): void {
  switch (columns[name].kind) {
    case 'u64':
    case 'i64': {
      const v = BigInt(value as number | bigint);
      if (name === 'va') setVa(log, high(v), low(v));
      else setU64(log, name as NameOf<'u64' | 'i64'>, high(v), low(v));
      return;
    }
    case 'f64':
      setF64(log, name as NameOf<'f64'>, Number(value));
      return;
    case 'bool':
      setBool(log, name as NameOf<'bool'>, Boolean(value));
      return;
    case 'dict':
      setDict(log, name as NameOf<'dict'>, String(value));
      return;
    case 'text':
      setText(log, name as NameOf<'text'>, String(value));
      return;
    default:
      setInt(log, name as NameOf<'u8'>, Number(value));
  }
}

/**
 * Append one event of a simulated run, its fields by column name.
 * @throws Error for a name that is no column.
 */
export function appendEvent(
  log: Log,
  event: string,
  stamp: Stamp,
  fields: Readonly<Record<string, Cell>>,
): void {
  addRow(log, high(stamp.ts_ns), low(stamp.ts_ns), log.dicts.event.intern(event));
  setInt(log, 'cpu', stamp.cpu);
  setInt(log, 'pid', stamp.pid);
  setDict(log, 'task', stamp.task);
  for (const [name, value] of Object.entries(fields)) {
    if (!Object.hasOwn(columns, name)) throw new Error(`'${name}' is no column of a trace`);
    setCell(log, name as ColumnName, value);
  }
}

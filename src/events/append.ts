import { addRow, type Log, putF64, putInt, putU64, setBool, setDict, setInt, setText, setVa } from './log.js'; // biome-ignore format: one line
import { type ColumnName, columnNames, columns, type Kind, type NameOf } from './schema.js';

/** Who ran an event, and when. */
export interface Stamp {
  readonly ts_ns: bigint;
  readonly cpu: number;
  readonly pid: number;
  readonly task: string;
}

/** What one cell may be given: 64-bit columns take a bigint. */
export type Cell = number | bigint | string | boolean;

const exact = new BigUint64Array(1);
const halves = new Uint32Array(exact.buffer);
const littleEndian = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
const [LOW, HIGH] = littleEndian ? [0, 1] : [1, 0];

/** Number of a column. */
export const columnIndex = (name: ColumnName): number => columnNames.indexOf(name);

/** A column: its name, its kind, its number. */
export interface Slot {
  readonly name: ColumnName;
  readonly kind: Kind;
  readonly at: number;
}

const slots: ReadonlyMap<string, Slot> = new Map(
  columnNames.map((name, at) => [name, { name, kind: columns[name].kind, at }]),
);

/**
 * The column called `name`.
 * @throws Error for a name that is no column.
 */
export function slotOf(name: string): Slot {
  const slot = slots.get(name);
  if (slot === undefined) throw new Error(`'${name}' is no column of a trace`);
  return slot;
}

function putWide(log: Log, name: string, at: number, value: number | bigint): void {
  let hi: number;
  let lo: number;
  if (typeof value === 'number') {
    hi = Math.floor(value / 0x100000000) | 0;
    lo = value | 0;
  } else {
    exact[0] = BigInt.asUintN(64, value);
    hi = halves[HIGH]! | 0;
    lo = halves[LOW]! | 0;
  }
  if (name === 'va') setVa(log, hi, lo);
  else putU64(log, at, hi, lo);
}

/** Set a cell of the current row. 64-bit columns take a bigint, or a whole number that a double holds. */
export function putAt(log: Log, slot: Slot, value: Cell): void {
  const { name } = slot;
  switch (slot.kind) {
    case 'u64':
    case 'i64':
      putWide(log, name, slot.at, typeof value === 'number' ? value : BigInt(value));
      return;
    case 'f64':
      putF64(log, slot.at, Number(value));
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
      putInt(log, slot.at, Number(value));
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
  exact[0] = BigInt.asUintN(64, stamp.ts_ns);
  addRow(log, halves[HIGH]! | 0, halves[LOW]! | 0, log.dicts.event.intern(event));
  setInt(log, 'cpu', stamp.cpu);
  setInt(log, 'pid', stamp.pid);
  setDict(log, 'task', stamp.task);
  for (const name of Object.keys(fields)) putAt(log, slotOf(name), fields[name]!);
}

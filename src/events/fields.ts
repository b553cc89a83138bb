import { Float64, Int64, Table, Uint64, Utf8, type Vector, vectorFromArray } from 'apache-arrow';
import { arrowFields } from './arrow.js';
import { type ColumnName, columnNames, columns } from './schema.js';
import { cursor, dictValues, has, type Trace } from './trace.js';

const always = ['ts_ns', 'cpu', 'pid', 'task'] as const;
const payload = columnNames.filter((n) => !['seq', 'event', 'detail', ...always].includes(n));

/** 'k=v k=v' with blanks in values, as comm has them, and '==>' between groups. */
const PAIR = /(\w+)=(.*?)(?=,?\s+(?:==>\s+)?\w+=|$)/gs;

/** Fields of one payload; what stands before the first is the field 'text'. */
export function pairsOf(detail: string): [string, string][] {
  const found = [...detail.matchAll(PAIR)];
  const before = detail.slice(0, found[0]?.index).trimEnd();
  const pairs = found.map((m): [string, string] => [m[1]!, m[2]!]);
  return before === '' ? pairs : [['text', before], ...pairs];
}

const integers = (values: readonly (string | null)[]) =>
  values.map((v) => (v === null ? null : BigInt(v)));

/** All of the values as exact integers, as doubles, or as they stand. */
function typed(values: readonly (string | null)[]): Vector {
  const given = values.filter((v): v is string => v !== null);
  const all = (pattern: RegExp): boolean => given.length > 0 && given.every((v) => pattern.test(v));
  if (all(/^0x[0-9a-f]{1,16}$/)) return vectorFromArray(integers(values), new Uint64());
  if (all(/^-?\d{1,18}$/)) return vectorFromArray(integers(values), new Int64());
  if (all(/^-?\d+\.\d+$/)) {
    return vectorFromArray(
      values.map((v) => (v === null ? null : Number(v))),
      new Float64(),
    );
  }
  return vectorFromArray(values as string[], new Utf8());
}

interface Collected {
  readonly core: Map<ColumnName, unknown[]>;
  readonly parsed: Map<string, (string | null)[]>;
  rows: number;
}

function collect(trace: Trace, event: string): Collected {
  const id = dictValues(trace, 'event').indexOf(event);
  const c: Collected = { core: new Map(), parsed: new Map(), rows: 0 };
  const names = [...always, ...payload];
  for (const n of names) c.core.set(n, []);
  for (const b of trace.batches) {
    const events = cursor(b, 'event').values;
    const vectors = names.map((n) => [c.core.get(n)!, b.getChild(n)!] as const);
    const detail = b.getChild('detail')!;
    const given = cursor(b, 'detail');
    for (let i = 0; i < b.numRows; i++) {
      if (events[i] !== id) continue;
      for (const [list, v] of vectors) list.push(v.get(i));
      if (has(given, i)) addPairs(c, String(detail.get(i)));
      c.rows++;
    }
  }
  return c;
}

function addPairs(c: Collected, detail: string): void {
  for (const [key, value] of pairsOf(detail)) {
    let list = c.parsed.get(key);
    if (!list) {
      list = [];
      c.parsed.set(key, list);
    }
    while (list.length < c.rows) list.push(null);
    list.push(value);
  }
}

/**
 * One kind of event as a table of its own: ts_ns, cpu, pid, task, the typed columns it has, and the
 * fields of its payload, typed by what all rows hold. 64-bit integers stay exact.
 * @throws Error naming the events of the trace, if there is no such event.
 */
export function fields(trace: Trace, event: string): Table {
  const known = dictValues(trace, 'event');
  if (!known.includes(event)) {
    throw new Error(`no event '${event}' in this trace. It has: ${known.join(', ')}`);
  }
  const { core, parsed, rows } = collect(trace, event);
  const out: Record<string, Vector> = {};
  for (const [name, list] of core) {
    const needed = (always as readonly string[]).includes(name) || list.some((v) => v !== null);
    if (needed) out[name] = vectorFromArray(list as never, typeFor(name));
  }
  for (const [key, list] of parsed) {
    while (list.length < rows) list.push(null);
    out[Object.hasOwn(out, key) ? `${key}_text` : key] = typed(list);
  }
  return new Table(out);
}

const typeFor = (name: ColumnName) => {
  const { kind } = columns[name];
  if (kind === 'dict' || kind === 'text') return new Utf8();
  return arrowFields[name].type;
};

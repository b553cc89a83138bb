import { type Log, putF64, putU64, putWord, setTextBytes } from '../../events/log.js';
import { columnNames } from '../../events/schema.js';
import type { EventCode, Shared } from './events.js';
import type { EventFormat, Field } from './format.js';
import { ops } from './int.js';
import { putDecimal } from './numbers.js';
import { outBytes, outLength, putHexWords, putText, resetOut } from './out.js';
import { found, intReader, locate, type ReadInt, readWide, rec, wide, words } from './record.js';

const [AT, DURATION, RET] = (['at', 'duration_ns', 'ret'] as const).map((n) =>
  columnNames.indexOf(n),
) as [number, number, number];

type Part = (log: Log) => void;

/** 'name [module]' of the function in the record, or its address, in `at`. */
function functionPart(f: Field, s: Shared): Part {
  const ids = new Map<number, { hi: number; id: number }>();
  let of: Log | null = null;
  return (log) => {
    if (of !== log) ids.clear();
    of = log;
    readLong(f, s);
    const { hi, lo } = wide;
    let known = ids.get(lo);
    if (known?.hi !== hi) {
      const address = `0x${((BigInt(hi >>> 0) << 32n) | BigInt(lo >>> 0)).toString(16)}`;
      known = { hi, id: log.dicts.at.intern(s.symbols.name(hi, lo) ?? address) };
      ids.set(lo, known);
    }
    putWord(log, AT, known.id);
  };
}

/** An address or a long in `wide`, of the traced machine's size. */
function readLong(f: Field, s: Shared): void {
  if (f.size === 8) {
    readWide(s.little, rec.at + f.offset);
    return;
  }
  wide.lo = words(s.little)[4](rec.at + f.offset);
  wide.hi = f.signed && wide.lo < 0 ? -1 : 0;
}

function returnPart(f: Field, s: Shared): Part {
  return (log) => {
    readLong(f, s);
    putU64(log, RET, wide.hi, wide.lo);
  };
}

/** Nanoseconds between two stamps of the record, kept where the clock did not run backwards. */
function durationPart(from: ReadInt, to: ReadInt): Part {
  return (log) => {
    const ns = Number(ops['-']!(to(), from()));
    if (ns >= 0) putF64(log, DURATION, ns);
  };
}

/** 'depth=1', then what there is of overruns and arguments. */
function detailPart(
  depth: ReadInt,
  overrun: ReadInt | null,
  args: Field | undefined,
  s: Shared,
): Part {
  return (log) => {
    resetOut();
    putText('depth=');
    putDecimal(depth());
    const lost = overrun === null ? 0 : overrun();
    if (lost > 0) {
      putText(' overrun=');
      putDecimal(lost);
    }
    if (args !== undefined && locate(args, s.little)) putArguments(s);
    setTextBytes(log, 'detail', outBytes(), 0, outLength());
  };
}

function putArguments(s: Shared): void {
  const { start, end } = found;
  const size = s.longBytes;
  if (start + size > end) return;
  putText(' args=(');
  for (let o = start; o + size <= end; o += size) {
    if (o > start) putText(', ');
    if (size === 8) readWide(s.little, o);
    else [wide.hi, wide.lo] = [0, words(s.little)[4](o)];
    putText('0x');
    putHexWords(wide.hi, wide.lo);
  }
  putText(')');
}

/**
 * funcgraph_entry and funcgraph_exit: the function in `at`, the time between in `duration_ns`, the value
 * returned in `ret`, as the tracer's text has them. Null for a format that lacks function or depth.
 */
export function graphEvent(format: EventFormat, s: Shared): EventCode | null {
  const field = (name: string): Field | undefined => format.fields.find((f) => f.name === name);
  const read = (name: string): ReadInt | null => {
    const f = field(name);
    const of = f && intReader(s.little, f.size, f.signed);
    return f && of ? () => of(rec.at + f.offset) : null;
  };
  const func = field('func');
  const depth = read('depth');
  if (!func || !depth) return null;
  const args = field('args');
  const [from, to, ret] = [read('calltime'), read('rettime'), field('retval')];
  const parts = [
    functionPart(func, s),
    detailPart(depth, read('overrun'), args?.count === -1 ? args : undefined, s),
    ...(from && to ? [durationPart(from, to)] : []),
    ...(ret ? [returnPart(ret, s)] : []),
  ];
  const fixed = format.fields.filter((f) => f.count !== -1);
  const minBytes = Math.max(...fixed.map((f) => f.offset + f.size));
  const put = (log: Log): void => {
    for (const part of parts) part(log);
  };
  return { format, name: format.name, put, minBytes, raw: null };
}

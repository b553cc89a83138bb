import { type Log, setInt, setText, setTextBytes } from '../../events/log.js';
import { shapes } from '../../events/shapes.js';
import { matcherOf, putPayload } from '../ftrace/payload.js';
import { binaryPrint } from './bprint.js';
import { type Code, compile, intOf, keyOf, type Scope } from './eval.js';
import type { EventFormat, Field } from './format.js';
import { graphEvent } from './graph-events.js';
import { outBytes, outLength, putBytes, putText, resetOut } from './out.js';
import { putSymbol } from './piece.js';
import { planOf } from './plan.js';
import { type Expr, type PrintFmt, parsePrintFmt, Unsupported } from './print-fmt.js';
import { run } from './program.js';
import { found, locate, readWide, rec, wide, words } from './record.js';
import { compilePieces, rawRender, renderer } from './render.js';

/** How the records of one kind of event become rows. */
export interface EventCode {
  readonly format: EventFormat;
  /** Name of the event in the table, where it is the same for all its records. */
  readonly name: string;
  /** Id of the event's name by record: trace_marker and trace_printk share a format. */
  readonly eventOf?: (log: Log) => number;
  /** Fill the columns of the current row. */
  readonly put: (log: Log) => void;
  /** A shorter record is damaged. */
  readonly minBytes: number;
  /** What of the text could not be evaluated; raw fields are kept in its place. */
  readonly raw: string | null;
}

/** What all events of a file share. */
export type Shared = Omit<Scope, 'format'>;

const byName = (format: EventFormat, name: string): Field | undefined =>
  format.fields.find((f) => f.name === name);

/** Bytes that a record needs at least to hold these fields. */
const reach = (...fields: readonly Field[]): number =>
  Math.max(...fields.map((f) => f.offset + (f.count === -1 ? 0 : f.size)));

/** Put the text made into `detail`, without the newline at its end. */
function putDetail(log: Log): void {
  const bytes = outBytes();
  let end = outLength();
  while (end > 0 && bytes[end - 1] === 10) end--;
  if (end > 0) setTextBytes(log, 'detail', bytes, 0, end);
}

function readAddress({ offset, size }: Field, s: Shared): void {
  if (size === 8) {
    readWide(s.little, rec.at + offset);
    return;
  }
  wide.hi = 0;
  wide.lo = words(s.little)[4](rec.at + offset);
}

/** The function at the address in `wide`, as the function tracer shows it. */
function putFunction(s: Shared): void {
  putText(s.symbols.plain(wide.hi, wide.lo) ?? addressText());
}

const addressText = (): string =>
  `0x${((BigInt(wide.hi >>> 0) << 32n) | BigInt(wide.lo >>> 0)).toString(16)}`;

/**
 * Who printed: tracefs writes the function's name where others have the event's, and an address if it
 * has no name. The row is called the same in both formats. `eventOf` comes before `putAt`.
 */
function printer(
  ip: Field,
  s: Shared,
): { eventOf: (log: Log) => number; putAt: (log: Log) => void } {
  const slots = 64;
  const [his, los] = [new Int32Array(slots), new Int32Array(slots)];
  const events = new Int32Array(slots).fill(-1);
  const places = new Int32Array(slots); // -1: the function has a name, which is the event's
  let of: Log | null = null;
  let place = -1; // of the current record

  const slotOf = (log: Log): number => {
    if (of !== log) events.fill(-1);
    of = log;
    readAddress(ip, s);
    const { hi, lo } = wide;
    const slot = (lo >>> 2) & (slots - 1);
    if (events[slot] !== -1 && los[slot] === lo && his[slot] === hi) return slot;
    const name = s.symbols.plain(hi, lo);
    his[slot] = hi;
    los[slot] = lo;
    events[slot] = log.dicts.event.intern(name ?? 'print');
    places[slot] = name === null ? log.dicts.at.intern(addressText()) : -1;
    return slot;
  };

  return {
    eventOf(log) {
      const slot = slotOf(log);
      place = places[slot]!;
      return events[slot]!;
    },
    putAt(log) {
      if (place >= 0) setInt(log, 'at', place);
    },
  };
}

/** trace_marker, trace_puts: an address and a text. */
function printEvent(format: EventFormat, s: Shared): EventCode | null {
  const ip = byName(format, 'ip');
  const text = byName(format, 'buf') ?? byName(format, 'str');
  if (!ip || !text) return null;
  const who = printer(ip, s);
  const scope: Scope = { ...s, format };
  const value: Expr = {
    kind: 'call',
    name: '__get_str',
    args: [{ kind: 'text', value: text.name }],
  };
  const pointer = text.type.includes('*'); // bputs keeps the address of its text
  const body = pointer ? null : compile(scope, value).text!;
  const put = (log: Log): void => {
    who.putAt(log);
    resetOut();
    if (body) body();
    else {
      readAddress(text, s);
      const known = s.printk.bytesAt(wide.hi, wide.lo);
      if (known) putBytes(known);
      else putText(addressText());
    }
    putDetail(log);
  };
  return { format, name: 'print', eventOf: who.eventOf, put, minBytes: reach(ip, text), raw: null };
}

/** trace_printk with its arguments in binary. */
function bprintEvent(format: EventFormat, s: Shared): EventCode | null {
  const ip = byName(format, 'ip');
  const fmt = byName(format, 'fmt');
  const buf = byName(format, 'buf');
  if (!ip || !fmt || !buf) return null;
  const who = printer(ip, s);
  const put = (log: Log): void => {
    who.putAt(log);
    resetOut();
    readAddress(fmt, s);
    locate(buf, s.little);
    binaryPrint(s.printk, s, wide.hi, wide.lo, found.start, found.end);
    putDetail(log);
  };
  return {
    format,
    name: 'print',
    eventOf: who.eventOf,
    put,
    minBytes: reach(ip, fmt, buf),
    raw: null,
  };
}

/** function: 'func <-parent', as tracefs prints it. */
function functionEvent(format: EventFormat, s: Shared): EventCode | null {
  const ip = byName(format, 'ip');
  const parent = byName(format, 'parent_ip');
  if (!ip || !parent) return null;
  const put = (log: Log): void => {
    resetOut();
    readAddress(ip, s);
    putFunction(s);
    putText(' <-');
    readAddress(parent, s);
    putFunction(s);
    putDetail(log);
  };
  return { format, name: 'function', put, minBytes: format.size, raw: null };
}

/** kernel_stack: one frame a line in `stack`. */
function stackEvent(format: EventFormat, s: Shared): EventCode | null {
  const caller = byName(format, 'caller');
  if (!caller) return null;
  const size = s.longBytes;
  const put = (log: Log): void => {
    if (!locate({ ...caller, count: -1 }, s.little)) return;
    const { start, end } = found;
    const frames: string[] = [];
    for (let o = start; o + size <= end; o += size) {
      readAddress({ ...caller, offset: o - rec.at, size }, s);
      if ((wide.hi === -1 || size === 4) && wide.lo === -1) break;
      frames.push(s.symbols.plain(wide.hi, wide.lo) ?? addressText());
    }
    setText(log, 'stack', frames.join('\n'));
  };
  return { format, name: format.name, put, minBytes: caller.offset, raw: null };
}

const special: Readonly<Record<string, (format: EventFormat, s: Shared) => EventCode | null>> = {
  print: printEvent,
  bputs: printEvent,
  raw_data: () => null,
  bprint: bprintEvent,
  function: functionEvent,
  kernel_stack: stackEvent,
  user_stack: stackEvent,
  funcgraph_entry: graphEvent,
  funcgraph_exit: graphEvent,
};

/** A probe prints its place as a symbol: '(%lx)' becomes the text that tracefs shows. */
function probeFmt(format: EventFormat, fmt: PrintFmt): PrintFmt {
  const place = (name: string, kind: string): Expr => ({
    kind: 'call',
    name: kind,
    args: [{ kind: 'field', name }],
  });
  if (byName(format, '__probe_ip') && fmt.format.startsWith('(%lx)')) {
    const args = [place('__probe_ip', symbolFull), ...fmt.args.slice(1)];
    return { format: `(%s)${fmt.format.slice(5)}`, args };
  }
  if (byName(format, '__probe_ret_ip') && fmt.format.startsWith('(%lx <- %lx)')) {
    const at = [place('__probe_ret_ip', symbolFull), place('__probe_func', symbolName)];
    return { format: `(%s <- %s)${fmt.format.slice(12)}`, args: [...at, ...fmt.args.slice(2)] };
  }
  return fmt;
}

const symbolFull = 'ptlab symbol and offset';
const symbolName = 'ptlab symbol';

/** Code of the two calls above. */
function compileArg(scope: Scope, e: Expr): Code {
  if (e.kind !== 'call' || !e.name.startsWith('ptlab')) return compile(scope, e);
  const code = compile(scope, e.args[0]!);
  const address = intOf(code, 'the place of a probe');
  const text = (): void => putSymbol(scope.symbols, address(), e.name === symbolFull ? 'S' : 's');
  return { text, ...keyOf(code) };
}

function generalEvent(format: EventFormat, s: Shared): EventCode {
  const left = new Set<string>();
  const scope: Scope = { ...s, format, left };
  const matcher = matcherOf(format.name);
  try {
    const fmt = probeFmt(format, parsePrintFmt(format.printFmt));
    const { pieces, tail } = compilePieces(fmt, scope, compileArg);
    const render = renderer(pieces, tail);
    const shape = Object.hasOwn(shapes, format.name) ? shapes[format.name] : undefined;
    const plan = shape ? planOf(shape, pieces, tail, s.little) : null;
    const put = (log: Log): void => {
      if (plan !== null && run(plan, log)) return;
      resetOut();
      render();
      putPayload(log, matcher, outBytes(), 0, outLength());
    };
    const raw = left.size > 0 ? [...left].slice(0, 4).join(', ') : null;
    return { format, name: format.name, put, minBytes: format.size, raw };
  } catch (e) {
    if (!(e instanceof Unsupported)) throw e;
    const render = rawRender(scope);
    const put = (log: Log): void => {
      resetOut();
      render();
      putPayload(log, matcher, outBytes(), 0, outLength());
    };
    return { format, name: format.name, put, minBytes: format.size, raw: e.message };
  }
}

/** How records of this format become rows. */
export function eventCode(format: EventFormat, s: Shared): EventCode {
  const own = format.system === 'ftrace' && Object.hasOwn(special, format.name);
  return (own ? special[format.name]!(format, s) : null) ?? generalEvent(format, s);
}

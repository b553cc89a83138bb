import { addRow, type Log, setDict, setF64, setText, setU64, setVa } from '../../events/log.js';
import { noteOrder } from './event.js';
import { setStampWords } from './other.js';
import { stamp } from './stamp.js';
import type { State } from './state.js';

/** 'R 4 123.456790 …', 'MAP 123.456789 …': kind, width, stamp, the rest. */
const line = /^(?:([RW]) ([1248])|(MAP|UNMAP|MARK|UNKNOWN)) (\d{1,10})\.(\d{6}) (.*)$/;
const hex = /^0x([0-9a-f]{1,16})$/;

/** A hexadecimal word as two of 32 bits; null if it is none. */
function words(text: string | undefined): [number, number] | null {
  const m = hex.exec(text ?? '');
  if (!m) return null;
  const v = BigInt(`0x${m[1]}`);
  return [Number(v >> 32n), Number(v & 0xffffffffn)];
}

/** Columns of 'MAP': number, physical and virtual address, length. Of 'R' and 'W' the first two. */
function putColumns(log: Log, kind: string, rest: string): void {
  const [, phys, va, size] = rest.split(' ');
  if (kind === 'UNMAP' || kind === 'MARK') return;
  const at = words(phys);
  if (at) setU64(log, 'phys', ...at);
  if (kind !== 'MAP') return;
  const from = words(va);
  if (from) setVa(log, ...from);
  const bytes = words(size);
  if (bytes) setF64(log, 'size_bytes', bytes[0] * 0x100000000 + bytes[1]);
}

/** A line of the mmiotrace tracer, which has columns of its own and no task or CPU. */
export function readMmio(s: State, text: string): boolean {
  if (s.tracer !== 'mmiotrace') return false;
  if (/^(VERSION|PCIDEV) /.test(text)) return true;
  const m = line.exec(text);
  if (!m) return false;
  const [, rw, width, other, seconds, micros, rest] = m;
  const kind = rw ?? other!;
  const { log } = s;
  const ns = BigInt(seconds!) * 1_000_000_000n + BigInt(micros!) * 1000n;
  setStampWords(ns);
  noteOrder(s, stamp.hi, stamp.lo);
  const event = kind === 'MARK' ? 'print' : /MAP$/.test(kind) ? 'mmiotrace_map' : 'mmiotrace_rw';
  addRow(log, stamp.hi, stamp.lo, log.dicts.event.intern(event));
  putColumns(log, kind, rest!);
  if (kind !== 'MARK') setDict(log, 'at', kind);
  setText(log, 'detail', width === undefined ? rest! : `width=${width} ${rest}`);
  return true;
}

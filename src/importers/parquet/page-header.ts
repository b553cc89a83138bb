/** A place in bytes that are read in order; a read behind their end throws. */
export interface Reader {
  readonly bytes: Uint8Array;
  at: number;
}

/** Numbers of a page header by their place in it: '2' = uncompressed size, '5.1' = values ... */
export type PageHeader = ReadonlyMap<string, number>;

const damaged = (what: string): Error => new Error(`a page header ${what}`);

function byte(r: Reader): number {
  if (r.at >= r.bytes.length) throw damaged('that is cut off');
  return r.bytes[r.at++]!;
}

/** An unsigned number of seven bits a byte, the lowest first; 32 bits of it count. */
export function varint(r: Reader): number {
  let value = 0;
  for (let shift = 0; shift < 70; shift += 7) {
    const b = byte(r);
    if (shift < 32) value |= (b & 127) << shift;
    if (b < 128) return value >>> 0;
  }
  throw damaged('with a number without end');
}

const signed = (v: number): number => (v >>> 1) ^ -(v & 1);

function skip(r: Reader, n: number): void {
  if (n > r.bytes.length - r.at) throw damaged('that is cut off');
  r.at += n;
}

const type = { stop: 0, yes: 1, no: 2, byte: 3, i16: 4, i32: 5, i64: 6, double: 7, binary: 8 };
const list = 9;
const struct = 12;
const maxDepth = 8;

function value(r: Reader, kind: number, path: string, into: Map<string, number>): void {
  switch (kind) {
    case type.yes:
    case type.no:
      into.set(path, kind === type.yes ? 1 : 0);
      return;
    case type.byte:
      skip(r, 1);
      return;
    case type.i16:
    case type.i32:
    case type.i64:
      into.set(path, signed(varint(r)));
      return;
    case type.double:
      skip(r, 8);
      return;
    case type.binary:
      skip(r, varint(r));
      return;
    case struct:
      fields(r, `${path}.`, into);
      return;
    case list:
      elements(r, path, into);
      return;
    default:
      throw damaged(`with a field of type ${kind}`);
  }
}

function elements(r: Reader, path: string, into: Map<string, number>): void {
  const head = byte(r);
  const count = head >> 4 === 15 ? varint(r) : head >> 4;
  const kind = head & 15;
  const plain = kind === type.yes || kind === type.no ? type.byte : kind;
  for (let i = 0; i < count; i++) value(r, plain, `${path}[]`, into);
}

function fields(r: Reader, prefix: string, into: Map<string, number>): void {
  if (prefix.length > 4 * maxDepth) throw damaged('that is nested too deep');
  for (let id = 0; ; ) {
    const head = byte(r);
    const kind = head & 15;
    if (kind === type.stop) return;
    id = head >> 4 === 0 ? signed(varint(r)) : id + (head >> 4);
    value(r, kind, `${prefix}${id}`, into);
  }
}

/** Read the header of a page (Thrift's compact protocol). @throws Error where it is damaged. */
export function pageHeader(r: Reader): PageHeader {
  const into = new Map<string, number>();
  fields(r, '', into);
  return into;
}

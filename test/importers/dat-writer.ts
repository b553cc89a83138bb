// Writes small trace.dat files: versions 6 and 7, both byte orders, both sizes of a long, packed or
// not. It shares nothing with the importer.
import { deflateSync } from 'node:zlib';

export interface FieldSpec {
  readonly type: string;
  readonly name: string;
  readonly size: number;
  readonly signed: boolean;
}

export interface FormatSpec {
  readonly system: string;
  readonly name: string;
  readonly id: number;
  readonly fields: readonly FieldSpec[];
  readonly printFmt: string;
}

export interface RecordSpec {
  readonly ts: bigint;
  readonly id: number;
  readonly pid: number;
  readonly flags?: number;
  readonly preempt?: number;
  /** What stands behind the 8 common bytes. */
  readonly body: Uint8Array;
  /** Begin a page, before which so many records were lost; -1: some. */
  readonly missed?: number;
  /** An absolute stamp stands before it. */
  readonly absolute?: boolean;
  /** A discarded record of so many bytes (a multiple of 4) stands before it. */
  readonly discarded?: number;
}

export interface CpuSpec {
  readonly cpu: number;
  readonly records: readonly RecordSpec[];
  /** Records lost before the first; -1: some. */
  readonly missed?: number;
}

export interface DatSpec {
  readonly version: 6 | 7;
  readonly little: boolean;
  readonly longBytes: 4 | 8;
  readonly compression?: 'none' | 'zlib' | 'zstd';
  readonly formats: readonly FormatSpec[];
  readonly cpus: readonly CpuSpec[];
  readonly instances?: readonly { name: string; cpus: readonly CpuSpec[] }[];
  readonly kallsyms?: string;
  readonly printk?: string;
  readonly cmdlines?: string;
  readonly options?: readonly { id: number; data: Uint8Array }[];
  /** Bytes of a page of the ring buffer; the file's page size stays 4096. */
  readonly subBuffer?: number;
  /** Page size that a buffer's option states (v7), where it is not that of the ring buffer. */
  readonly statedPage?: number;
  /** Options of an instance (v6). */
  readonly instanceOptions?: readonly { id: number; data: Uint8Array }[];
  /** The trace as text, in place of records. */
  readonly latency?: string;
}

export const pageSize = 4096;

/** Grows, and writes numbers in one byte order. */
export class Bytes {
  readonly parts: Uint8Array[] = [];
  length = 0;
  constructor(readonly little: boolean) {}

  add(bytes: Uint8Array): this {
    this.parts.push(bytes);
    this.length += bytes.length;
    return this;
  }
  text(t: string): this {
    return this.add(new TextEncoder().encode(t));
  }
  int(size: number, value: number | bigint): this {
    const b = new Uint8Array(size);
    let v = BigInt.asUintN(size * 8, BigInt(value));
    for (let i = 0; i < size; i++) {
      b[this.little ? i : size - 1 - i] = Number(v & 0xffn);
      v >>= 8n;
    }
    return this.add(b);
  }
  u16 = (v: number): this => this.int(2, v);
  u32 = (v: number): this => this.int(4, v);
  u64 = (v: number | bigint): this => this.int(8, v);
  pad(to: number): this {
    return this.add(new Uint8Array(Math.max(0, to - this.length)));
  }
  done(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.parts));
  }
}

export const commonBytes = 8;

/** Format file of an event; offsets follow from the sizes, aligned as the kernel does. */
export function formatText(f: FormatSpec): string {
  let offset = commonBytes;
  const lines = f.fields.map((x) => {
    const line = `\tfield:${declare(x)};\toffset:${offset};\tsize:${x.size};\tsigned:${x.signed ? 1 : 0};\n`;
    offset += x.size;
    return line;
  });
  return (
    `name: ${f.name}\nID: ${f.id}\nformat:\n` +
    '\tfield:unsigned short common_type;\toffset:0;\tsize:2;\tsigned:0;\n' +
    '\tfield:unsigned char common_flags;\toffset:2;\tsize:1;\tsigned:0;\n' +
    '\tfield:unsigned char common_preempt_count;\toffset:3;\tsize:1;\tsigned:0;\n' +
    '\tfield:int common_pid;\toffset:4;\tsize:4;\tsigned:1;\n\n' +
    `${lines.join('')}\nprint fmt: ${f.printFmt}\n`
  );
}

function declare(x: FieldSpec): string {
  const array = /^(\w[\w ]*)(\[\d*\])$/.exec(x.type);
  return array && !x.type.startsWith('__')
    ? `${array[1]} ${x.name}${array[2]}`
    : `${x.type} ${x.name}`;
}

const ringPage = (d: DatSpec): number => d.subBuffer ?? pageSize;

/** Raw ring-buffer pages of one CPU. */
function pagesOf(spec: CpuSpec, d: DatSpec): Uint8Array {
  const pages: Uint8Array[] = [];
  let records = new Bytes(d.little);
  let first: bigint | null = null;
  let last = 0n;
  let missed = spec.missed ?? 0;
  const header = 8 + d.longBytes;
  const flush = (): void => {
    if (first === null) return;
    const room = header + records.length + d.longBytes <= ringPage(d);
    const flag = missed === 0 ? 0n : missed < 0 || !room ? 1n << 31n : 3n << 30n;
    const page = new Bytes(d.little).u64(first).int(d.longBytes, BigInt(records.length) | flag);
    page.add(records.done());
    if (missed > 0 && room) page.int(d.longBytes, missed);
    pages.push(page.pad(ringPage(d)).done());
    records = new Bytes(d.little);
    first = null;
    missed = 0;
  };
  const word = (type: number, value: bigint): number =>
    Number(d.little ? BigInt(type) | (value << 5n) : (BigInt(type) << 27n) | value);
  const long = (type: number, v: bigint): Bytes =>
    // 59 bits over two words
    records.u32(word(type, v & 0x7ffffffn)).u32(Number((v >> 27n) & 0xffffffffn));
  for (const r of spec.records) {
    const data = new Bytes(d.little)
      .u16(r.id).int(1, r.flags ?? 0).int(1, r.preempt ?? 0).u32(r.pid)
      .add(r.body); // biome-ignore format: one header
    const padded = new Uint8Array((data.length + 3) & ~3);
    padded.set(data.done());
    const size = padded.length + 24 + (r.discarded ?? 0);
    if (r.missed !== undefined || header + records.length + size > ringPage(d)) flush();
    missed = r.missed ?? missed;
    if (first === null) {
      first = r.discarded === undefined ? r.ts : r.ts - 1n; // a discarded record's delta is not 0
      last = first;
    }
    let delta = r.ts - last;
    if (r.discarded !== undefined) {
      if (delta >= 1n << 27n) {
        long(30, delta - 1n);
        delta = 1n;
      }
      records.u32(word(29, delta)).u32(r.discarded - 4);
      records.pad(records.length + r.discarded - 8);
      delta = 0n;
    }
    if (r.absolute) {
      long(31, r.ts);
      delta = 0n;
    } else if (delta >= 1n << 27n) {
      long(30, delta);
      delta = 0n;
    }
    const words = padded.length / 4;
    if (words <= 28) records.u32(word(words, delta));
    else records.u32(word(0, delta)).u32(padded.length + 4);
    records.add(padded);
    last = r.ts;
  }
  flush();
  return new Uint8Array(Buffer.concat(pages));
}

/** A zstd frame that keeps its content as it is. */
function storeZstd(data: Uint8Array): Uint8Array {
  const out = new Bytes(true).u32(0xfd2fb528).int(1, 0xa0).u32(data.length);
  for (let at = 0; at < data.length || at === 0; at += 65536) {
    const piece = data.subarray(at, at + 65536);
    const last = at + 65536 >= data.length ? 1 : 0;
    out.int(3, last | (piece.length << 3)).add(piece);
    if (last) break;
  }
  return out.done();
}

function pack(d: DatSpec, data: Uint8Array): Uint8Array {
  if (d.compression === 'zlib') return new Uint8Array(deflateSync(data));
  return d.compression === 'zstd' ? storeZstd(data) : data;
}

/** Trace data in packed blocks of ten pages, if it is to be packed. */
function blocks(d: DatSpec, data: Uint8Array): Uint8Array {
  if ((d.compression ?? 'none') === 'none' || data.length === 0) return data;
  const step = ringPage(d) * 10;
  const out = new Bytes(d.little).u32(Math.ceil(data.length / step));
  for (let at = 0; at < data.length; at += step) {
    const piece = data.subarray(at, at + step);
    const body = pack(d, piece);
    out.u32(body.length).u32(piece.length).add(body);
  }
  return out.done();
}

const headerPage = (d: DatSpec): string =>
  '\tfield: u64 timestamp;\toffset:0;\tsize:8;\tsigned:0;\n' +
  `\tfield: local_t commit;\toffset:8;\tsize:${d.longBytes};\tsigned:1;\n` +
  '\tfield: int overwrite;\toffset:8;\tsize:1;\tsigned:1;\n' +
  `\tfield: char data;\toffset:${8 + d.longBytes};\tsize:${ringPage(d) - 8 - d.longBytes};\tsigned:0;\n`;
const headerEvent =
  '# compressed entry header\n\ttype_len    :    5 bits\n\ttime_delta  :   27 bits\n\tarray       :   32 bits\n\n' +
  '\tpadding     : type == 29\n\ttime_extend : type == 30\n\ttime_stamp : type == 31\n\tdata max type_len  == 28\n';

/** The parts that both versions have, in the order of version 6. */
function sections(d: DatSpec): { id: number; bytes: Uint8Array }[] {
  const b = (): Bytes => new Bytes(d.little);
  const page = headerPage(d);
  const ftrace = d.formats.filter((f) => f.system === 'ftrace');
  const systems = [...new Set(d.formats.map((f) => f.system))].filter((s) => s !== 'ftrace');
  const events = b().u32(systems.length);
  for (const s of systems) {
    const mine = d.formats.filter((f) => f.system === s);
    events.text(`${s}\0`).u32(mine.length);
    for (const f of mine) events.u64(formatText(f).length).text(formatText(f));
  }
  const own = b().u32(ftrace.length);
  for (const f of ftrace) own.u64(formatText(f).length).text(formatText(f));
  const { kallsyms = '', printk = '', cmdlines = '' } = d;
  return [
    {
      id: 16,
      bytes: b().text('header_page\0').u64(page.length).text(page)
        .text('header_event\0').u64(headerEvent.length).text(headerEvent).done(),
    },
    { id: 17, bytes: own.done() },
    { id: 18, bytes: events.done() },
    { id: 19, bytes: b().u32(kallsyms.length).text(kallsyms).done() },
    { id: 20, bytes: b().u32(printk.length).text(printk).done() },
    { id: 21, bytes: b().u64(cmdlines.length).text(cmdlines).done() },
  ]; // biome-ignore format: a table
}

function start(d: DatSpec): Bytes {
  return new Bytes(d.little)
    .add(Uint8Array.of(0x17, 0x08, 0x44)).text(`tracing${d.version}\0`)
    .int(1, d.little ? 0 : 1).int(1, d.longBytes).u32(pageSize); // biome-ignore format: one header
}

const align = (n: number, d: DatSpec): number => Math.ceil(n / ringPage(d)) * ringPage(d);

/** 'flyrecord', the table of offsets, and the data, which begins at `at` in the file. */
function flyrecord(cpus: readonly CpuSpec[], d: DatSpec, at: number): Uint8Array {
  const data = cpus.map((c) => pagesOf(c, d));
  const out = new Bytes(d.little).text('flyrecord\0');
  const first = align(at + 10 + 16 * cpus.length, d);
  let offset = first;
  for (const x of data) {
    out.u64(offset).u64(x.length);
    offset += x.length;
  }
  out.pad(first - at);
  for (const x of data) out.add(x);
  return out.done();
}

function optionList(list: NonNullable<DatSpec['options']>, d: DatSpec): Bytes {
  const o = new Bytes(d.little).text('options  \0');
  for (const x of list) o.u16(x.id).u32(x.data.length).add(x.data);
  return o;
}

function writeVersion6(d: DatSpec): Uint8Array {
  const out = start(d);
  for (const s of sections(d)) out.add(s.bytes);
  out.u32(d.cpus.length);
  if (d.latency !== undefined) return out.text(`latency  \0${d.latency}`).done();
  const instances = d.instances ?? [];
  const options = (offsets: readonly number[]): Uint8Array => {
    const o = optionList(d.options ?? [], d);
    instances.forEach((x, i) => {
      const data = new Bytes(d.little)
        .u64(offsets[i] ?? 0)
        .text(`${x.name}\0`)
        .done();
      o.u16(3).u32(data.length).add(data);
    });
    return o.u16(0).done();
  };
  const top = out.length + options([]).length;
  const main = flyrecord(d.cpus, d, top);
  let at = top + main.length;
  const parts = instances.map((x) => {
    const own =
      d.instanceOptions === undefined
        ? new Uint8Array(0)
        : optionList(d.instanceOptions, d).u16(0).done();
    const bytes = new Bytes(d.little)
      .add(own)
      .add(flyrecord(x.cpus, d, at + own.length))
      .done();
    const offset = at;
    at += bytes.length;
    return { bytes, offset };
  });
  out.add(options(parts.map((p) => p.offset))).add(main);
  for (const p of parts) out.add(p.bytes);
  return out.done();
}

function writeVersion7(d: DatSpec): Uint8Array {
  const packed = d.compression !== undefined && d.compression !== 'none';
  const out = start(d)
    .text(`${d.compression ?? 'none'}\0`)
    .text(`${d.compression === 'zstd' ? '1.5.4' : '1'}\0`); // trace-cmd takes its own version only
  const firstAt = out.length;
  out.u64(0);
  const options = new Bytes(d.little);
  for (const s of sections(d)) {
    options.u16(s.id).u32(8).u64(out.length);
    const body = pack(d, s.bytes);
    const content = packed
      ? new Bytes(d.little).u32(body.length).u32(s.bytes.length).add(body).done()
      : s.bytes;
    out
      .u16(s.id)
      .u16(packed ? 1 : 0)
      .u32(0)
      .u64(content.length)
      .add(content);
  }
  for (const x of d.options ?? []) options.u16(x.id).u32(x.data.length).add(x.data);
  if (d.latency !== undefined) {
    options.u16(22).u32(15).u64(out.length).text('\0local\0');
    const text = blocks(d, new TextEncoder().encode(d.latency));
    out.u16(22).u16(packed ? 1 : 0).u32(0).u64(text.length).add(text); // biome-ignore format: one header
  }
  for (const b of [{ name: '', cpus: d.cpus }, ...(d.instances ?? [])]) {
    const sectionAt = out.length;
    const data = b.cpus.map((c) => pagesOf(c, d));
    const chunks = data.map((x) => blocks(d, x));
    const total = chunks.reduce((n, x) => n + x.length, 0);
    out
      .u16(3)
      .u16(packed ? 1 : 0)
      .u32(0)
      .u64(total)
      .pad(align(out.length + 16, d));
    const o = new Bytes(d.little)
      .u64(sectionAt)
      .text(`${b.name}\0local\0`)
      .u32(d.statedPage ?? ringPage(d));
    o.u32(b.cpus.length);
    b.cpus.forEach((c, i) => {
      o.u32(c.cpu).u64(out.length).u64(chunks[i]!.length);
      out.add(chunks[i]!);
    });
    options.u16(3).u32(o.length).add(o.done());
  }
  options.u16(0).u32(8).u64(0);
  const at = out.length;
  out.u16(0).u16(0).u32(0).u64(options.length).add(options.done());
  const bytes = out.done();
  bytes.set(new Bytes(d.little).u64(at).done(), firstAt);
  return bytes;
}

/** The whole file. */
export const writeDat = (d: DatSpec): Uint8Array =>
  d.version === 6 ? writeVersion6(d) : writeVersion7(d);

import { type Access, accessOf, FormatError } from '../importer.js';
import { unpackBlock } from '../unpack.js';
import { type Cursor, expectText, newCursor, size64, string0, take, u16, u32 } from './cursor.js';
import { cpuCount, type Dat, type DatBuffer, type DatOption, optionId } from './dat.js';
import { subBufferSize } from './pages.js';

const maxCpus = 65536;
const maxFormats = 1 << 20;

const textOf = (c: Cursor, size: number): string => Buffer.from(take(c, size)).toString('utf8');

/** A count or a CPU number. @throws FormatError beyond reason. */
function bounded(c: Cursor, most: number, what: string): number {
  const at = c.at;
  const n = u32(c);
  if (n > most) throw new FormatError(`byte ${at}: ${n} ${what}: more than ${most}`);
  return n;
}

function readHeaderInfo(c: Cursor, dat: Dat): void {
  expectText(c, 'header_page\0');
  dat.headerPage = textOf(c, size64(c, 'the size of header_page'));
  expectText(c, 'header_event\0');
  dat.headerEvent = textOf(c, size64(c, 'the size of header_event'));
}

function readFormats(c: Cursor, dat: Dat, system: string): void {
  const count = bounded(c, maxFormats, `event formats of ${system}`);
  for (let i = 0; i < count; i++) {
    dat.formats.push({ system, text: textOf(c, size64(c, 'the size of an event format')) });
  }
}

function readSystems(c: Cursor, dat: Dat): void {
  const count = bounded(c, maxFormats, 'event systems');
  for (let i = 0; i < count; i++) readFormats(c, dat, string0(c));
}

const readKallsyms = (c: Cursor, dat: Dat): void => void (dat.kallsyms = take(c, u32(c)));
const readPrintk = (c: Cursor, dat: Dat): void => void (dat.printk = textOf(c, u32(c)));
const readCmdlines = (c: Cursor, dat: Dat): void => {
  dat.cmdlines = textOf(c, size64(c, 'the size of the saved command lines'));
};

/** 'u64 offset, u64 size' of each CPU; `ids` where they stand in the file (v7). */
function readCpus(c: Cursor, count: number, ids: boolean): DatBuffer['cpus'] {
  return Array.from({ length: count }, (_, i) => {
    const cpu = ids ? bounded(c, maxCpus, '(CPU number)') : i;
    const offset = size64(c, `the offset of CPU ${cpu}`);
    const size = size64(c, `the size of CPU ${cpu}`);
    return { cpu, offset, size };
  });
}

function readOptions6(c: Cursor): DatOption[] {
  const options: DatOption[] = [];
  for (let id = u16(c); id !== 0; id = u16(c)) {
    const size = u32(c);
    options.push({ id, at: c.at, data: take(c, size) });
  }
  return options;
}

/** From the number of CPUs on: options, then the trace data of one buffer (v6). */
function readRest6(c: Cursor, dat: Dat, name: string, stated: number): void {
  let tag = textOf(c, 10);
  let cpus = stated;
  if (tag === 'options  \0') {
    const options = readOptions6(c);
    dat.options.push(...options);
    const count = cpuCount(options, dat.little) ?? stated; // an instance may have another number
    if (count > maxCpus) throw new FormatError(`${count} CPUs: more than ${maxCpus}`);
    cpus = count;
    tag = textOf(c, 10);
  }
  if (tag === 'latency  \0') {
    dat.texts.push({ offset: c.at, size: c.from.size - c.at, packed: false });
  } else if (tag === 'flyrecord\0') {
    const pageSize = subBufferSize(dat);
    const found = readCpus(c, cpus, false);
    dat.buffers.push({ name, clock: null, pageSize, packed: false, cpus: found });
  } else {
    throw new FormatError(
      `byte ${c.at - 10}: 'options', 'latency' or 'flyrecord' expected, ` +
        `${JSON.stringify(tag)} found`,
    );
  }
}

/** The bytes of an option; offsets in it are those of the file. */
const optionCursor = (from: Access, dat: Dat, o: DatOption): Cursor =>
  newCursor(accessOf(o.data), 0, dat.little, from.size);

/** Instances of a v6 file: an option gives where the data's offsets lie, and the name. */
function readInstance6(c: Cursor, dat: Dat, o: DatOption, cpus: number): void {
  const inner = optionCursor(c.from, dat, o);
  const offset = size64(inner, 'the offset of an instance');
  readRest6(newCursor(c.from, offset, dat.little), dat, string0(inner), cpus);
}

function readVersion6(c: Cursor, dat: Dat): void {
  readHeaderInfo(c, dat);
  readFormats(c, dat, 'ftrace');
  readSystems(c, dat);
  readKallsyms(c, dat);
  readPrintk(c, dat);
  readCmdlines(c, dat);
  const cpus = bounded(c, maxCpus, 'CPUs');
  readRest6(c, dat, '', cpus);
  for (const o of dat.options.slice()) {
    if (o.id === optionId.buffer) readInstance6(c, dat, o, cpus);
  }
}

/** A section of a v7 file, unpacked; `at` is where its content starts in the file. */
function section(from: Access, dat: Dat, offset: number, id: number) {
  const c = newCursor(from, offset, dat.little);
  const found = u16(c);
  const flags = u16(c);
  u32(c); // id of a describing string
  const size = size64(c, `the size of section ${id}`);
  if (found !== id) {
    throw new FormatError(`byte ${offset}: section ${id} expected, section ${found} found`);
  }
  const packed = (flags & 1) !== 0;
  const inBlocks = id === sectionData || id === sectionText;
  if (inBlocks || !packed) return { packed, at: c.at, content: c, size };
  const packedSize = u32(c);
  const plain = u32(c);
  const bytes = unpackBlock(dat.compression, take(c, packedSize), plain);
  const content = newCursor(accessOf(bytes), 0, dat.little, from.size);
  return { packed, at: c.at, content, size: plain };
}

const sectionOptions = 0;
const sectionData = 3;
const sectionText = 22;

const readers: Record<number, (c: Cursor, dat: Dat) => void> = {
  [optionId.headers]: readHeaderInfo,
  [optionId.ftraceEvents]: (c, dat) => readFormats(c, dat, 'ftrace'),
  [optionId.eventFormats]: readSystems,
  [optionId.kallsyms]: readKallsyms,
  [optionId.printk]: readPrintk,
  [optionId.cmdlines]: readCmdlines,
};

/** All option sections, in order; each ends with where the next one lies. */
function readOptions7(from: Access, dat: Dat, first: number): void {
  const seen = new Set<number>();
  for (let offset = first; offset !== 0; ) {
    if (seen.has(offset)) throw new FormatError(`byte ${offset}: option sections form a circle`);
    seen.add(offset);
    const { content } = section(from, dat, offset, sectionOptions);
    let id = u16(content);
    for (; id !== optionId.done; id = u16(content)) {
      const size = u32(content);
      dat.options.push({ id, at: content.at, data: take(content, size) });
    }
    u32(content);
    offset = size64(content, 'the offset of the next options');
  }
}

function readBuffer7(from: Access, dat: Dat, o: DatOption): void {
  const c = optionCursor(from, dat, o);
  const offset = size64(c, 'the offset of a buffer');
  const name = string0(c);
  const clock = string0(c);
  if (o.id === optionId.bufferText) {
    const { at, size, packed } = section(from, dat, offset, sectionText);
    dat.texts.push({ offset: at, size, packed });
    return;
  }
  const stated = u32(c);
  const pageSize = name === '' ? Math.max(stated, subBufferSize(dat)) : stated;
  const count = bounded(c, maxCpus, 'CPUs');
  const { packed } = section(from, dat, offset, sectionData);
  dat.buffers.push({ name, clock, pageSize, packed, cpus: readCpus(c, count, true) });
}

function readVersion7(c: Cursor, dat: Dat): void {
  readOptions7(c.from, dat, size64(c, 'the offset of the options'));
  for (const o of dat.options) {
    const read = readers[o.id];
    if (!read) continue;
    const offset = size64(optionCursor(c.from, dat, o), 'the offset of a section');
    read(section(c.from, dat, offset, o.id).content, dat);
  }
  for (const o of dat.options) {
    if (o.id === optionId.buffer || o.id === optionId.bufferText) readBuffer7(c.from, dat, o);
  }
}

/** CPUs that share bytes would give more events than there are. */
function checkOverlap(from: Access, dat: Dat): void {
  const total = dat.buffers.flatMap((b) => b.cpus).reduce((n, c) => n + c.size, 0);
  if (total > from.size) {
    throw new FormatError(`the CPUs' data are ${total} bytes, more than the file's ${from.size}`);
  }
}

/**
 * Everything in a trace.dat but the trace data.
 * @throws FormatError with the byte where it is wrong.
 */
export function readDat(from: Access): Dat {
  const c = newCursor(from, 0, true);
  expectText(c, '\x17\x08\x44tracing');
  const version = Number(string0(c));
  if (version !== 6 && version !== 7) {
    throw new FormatError(`a trace.dat of version ${version}; ptlab reads 6 and 7`);
  }
  const [order, longBytes] = take(c, 2) as unknown as [number, number];
  if (order > 1 || (longBytes !== 4 && longBytes !== 8)) {
    throw new FormatError(`byte ${c.at - 2}: byte order ${order}, long of ${longBytes} bytes`);
  }
  const body = newCursor(from, c.at, order === 0);
  const pageSize = u32(body);
  const compression = version === 7 ? string0(body) : 'none';
  if (version === 7) string0(body);
  const dat: Dat = {
    version,
    little: order === 0,
    longBytes,
    pageSize,
    compression,
    headerPage: '',
    headerEvent: '',
    formats: [],
    kallsyms: new Uint8Array(0),
    printk: '',
    cmdlines: '',
    options: [],
    buffers: [],
    texts: [],
    notes: [],
  };
  if (version === 6) readVersion6(body, dat);
  else readVersion7(body, dat);
  checkOverlap(from, dat);
  return dat;
}

import type { Log } from '../events/log.js';
import type { TraceMeta } from '../events/meta.js';
import { holds } from './bytes.js';
import { ftrace } from './ftrace.js';
import { type Access, type Importer, type Input, noTool } from './importer.js';
import { addStats, commandLines, describe, threadGroups } from './trace-dat/about.js';
import { parseFormats } from './trace-dat/bprint.js';
import type { Dat, DatText } from './trace-dat/dat.js';
import { versionOf } from './trace-dat/flags.js';
import { formatsById } from './trace-dat/format.js';
import { readDat } from './trace-dat/header.js';
import { merge } from './trace-dat/merge.js';
import { packedPieces } from './trace-dat/pages.js';
import { newCpuReader } from './trace-dat/ring.js';
import { newRows, type Rows } from './trace-dat/rows.js';
import { parseSymbols } from './trace-dat/symbols.js';
import { conversionOf } from './trace-dat/time.js';

function rowsOf(dat: Dat, log: Log, meta: TraceMeta): Rows {
  const { little, longBytes } = dat;
  const groups = threadGroups(dat);
  const symbols = parseSymbols(dat.kallsyms);
  const given = {
    log,
    meta,
    shared: { little, longBytes, symbols, printk: parseFormats(dat.printk, longBytes) },
    formats: formatsById(dat.formats),
    commands: commandLines(dat.cmdlines),
    kernel: versionOf(meta.kernel, dat.formats),
    tgids: groups.size > 0 ? groups : null,
  };
  return newRows(
    given,
    dat.buffers.map((b) => b.name),
  );
}

function close(r: Rows, dat: Dat): void {
  const { meta } = r;
  addStats(dat, meta);
  for (const [id, n] of r.unknown) {
    meta.notes.push(`unknown:${id}: ${n} events whose format the file lacks; kept as bytes`);
  }
  for (const [name, why] of r.raw) {
    meta.notes.push(
      `${name}: its print fmt was not wholly evaluated (${why}); raw fields stand there`,
    );
  }
  if (meta.stated !== null && meta.stated !== r.log.total) {
    meta.notes.push(`the CPUs' statistics state ${meta.stated} events, ${r.log.total} were found`);
  }
}

/** A trace saved as text inside the file. */
function textInput(from: Access, name: string, dat: Dat, { offset, size, packed }: DatText): Input {
  const step = 1 << 20;
  async function* chunks() {
    if (!packed) {
      for (let at = 0; at < size; at += step) {
        yield from.read(offset + at, Math.min(step, size - at));
      }
      return;
    }
    const next = packedPieces(from, { cpu: 0, offset, size }, dat);
    for (let piece = next(); piece !== null; piece = next()) yield piece.bytes;
  }
  const access = async (): Promise<Access> => from;
  return { name, chunks, access, tool: noTool };
}

const magic = Uint8Array.of(0x17, 0x08, 0x44, ...new TextEncoder().encode('tracing'));

/** trace-cmd's trace.dat, versions 6 and 7. */
export const traceDat: Importer = {
  about: "trace-cmd's trace.dat, versions 6 and 7",
  sniff: (bytes) => holds(bytes, 0, bytes.length, magic),
  async read(input, log, meta) {
    const from = await input.access();
    const dat = readDat(from);
    describe(dat, meta);
    const rows = rowsOf(dat, log, meta);
    const convert = conversionOf(dat, meta.notes);
    const readers = dat.buffers.flatMap((b, i) =>
      b.cpus.map((cpu, slot) => newCpuReader(from, dat, i, b, cpu, slot, convert)),
    );
    merge(rows, readers);
    for (const t of dat.texts) await ftrace.read(textInput(from, input.name, dat, t), log, meta);
    close(rows, dat);
  },
};

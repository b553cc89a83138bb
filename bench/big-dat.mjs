// A long trace.dat from a short one: its pages again and again, each round later than the last.
import { readFileSync, writeFileSync } from 'node:fs';
import { accessOf } from '../dist/importers/importer.js';
import { readDat } from '../dist/importers/trace-dat/header.js';
import { newCpuReader } from '../dist/importers/trace-dat/ring.js';

const u = (size, value) => {
  const b = Buffer.alloc(size);
  if (size === 8) b.writeBigUInt64LE(BigInt(value));
  else b.writeUIntLE(value, 0, size);
  return b;
};
const sized = (size, bytes) => Buffer.concat([u(size, bytes.length), bytes]);

/** All raw pages of one CPU. */
function pagesOf(from, dat, buffer, cpu) {
  const reader = newCpuReader(from, dat, 0, buffer, cpu);
  const parts = [];
  for (let p = reader.nextPiece(); p; p = reader.nextPiece()) parts.push(Buffer.from(p.bytes));
  return Buffer.concat(parts);
}

/** Write `rounds` times the events of the little-endian trace.dat `path` to `out`, as version 6. */
export function writeBig(path, out, rounds) {
  const from = accessOf(readFileSync(path));
  const dat = readDat(from);
  const [buffer] = dat.buffers;
  const own = dat.formats.filter((f) => f.system === 'ftrace');
  const systems = [...new Set(dat.formats.map((f) => f.system))].filter((s) => s !== 'ftrace');
  const format = (f) => sized(8, Buffer.from(f.text));
  const head = Buffer.concat([
    Buffer.from('\x17\x08\x44tracing6\0\0\x08', 'latin1'), u(4, buffer.pageSize),
    Buffer.from('header_page\0'), sized(8, Buffer.from(dat.headerPage)),
    Buffer.from('header_event\0'), sized(8, Buffer.from(dat.headerEvent)),
    u(4, own.length), ...own.map(format), u(4, systems.length),
    ...systems.flatMap((s) => {
      const mine = dat.formats.filter((f) => f.system === s);
      return [Buffer.from(`${s}\0`), u(4, mine.length), ...mine.map(format)];
    }),
    sized(4, dat.kallsyms), sized(4, Buffer.from(dat.printk)), sized(8, Buffer.from(dat.cmdlines)),
    u(4, buffer.cpus.length), Buffer.from('flyrecord\0'),
  ]); // biome-ignore format: a table
  const pages = buffer.cpus.map((c) => pagesOf(from, dat, buffer, c));
  const page = buffer.pageSize;
  let at = Math.ceil((head.length + 16 * pages.length) / page) * page;
  const table = pages.map((p) => {
    const row = Buffer.concat([u(8, at), u(8, p.length * rounds)]);
    at += p.length * rounds;
    return row;
  });
  const start = Buffer.concat([head, ...table]);
  const pad = Buffer.alloc(Math.ceil(start.length / page) * page - start.length);
  const body = pages.flatMap((p) =>
    Array.from({ length: rounds }, (_, k) => {
      const copy = Buffer.from(p);
      for (let o = 0; o < copy.length; o += page) {
        copy.writeBigUInt64LE(copy.readBigUInt64LE(o) + BigInt(k) * 1_000_000_000_000n, o);
      }
      return copy;
    }),
  );
  writeFileSync(out, Buffer.concat([start, pad, ...body]));
}

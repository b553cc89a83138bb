// Packed sources that unpack to more than they should, or begin with what holds nothing.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, expect, test } from 'vitest';
import { FormatError, holdAll } from '../../src/importers/importer.js';
import { openTrace } from '../../src/importers/open.js';
import { unzstd } from '../../src/importers/unpack.js';
import { packedSeeds } from './fuzz.js';

const folder = mkdtempSync(join(tmpdir(), 'ptlab-unpack-'));
afterAll(() => rmSync(folder, { recursive: true }));

async function* each(pieces: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* pieces;
}

test('bytes held in pieces read as one array', async () => {
  const piece = fc.uint8Array({ maxLength: 9 });
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 8 }), fc.nat(80), fc.nat(80), async (pieces, at, length) => {
      const whole = Buffer.concat(pieces);
      const held = await holdAll(each(pieces));
      expect(held.size).toBe(whole.length);
      if (at + length > whole.length) expect(() => held.read(at, length)).toThrow(FormatError);
      else {
        const wanted = [...whole.subarray(at, at + length)];
        expect([...held.read(at, length)]).toEqual(wanted);
        expect([...held.read(at, length, new Uint8Array(80))]).toEqual(wanted);
      }
    }),
  );
}); // biome-ignore format: the property's arguments

test('more bytes than may be held are refused as soon as they come', async () => {
  let asked = 0;
  async function* endless(): AsyncGenerator<Uint8Array> {
    for (;;) {
      asked++;
      yield new Uint8Array(1000);
    }
  }
  await expect(holdAll(endless(), 10_000)).rejects.toThrow(/over 10000 bytes unpacked.*to a file/);
  expect(asked).toBe(11);
});

/** A zstd frame of blocks that repeat a byte: four bytes stand for 128 KiB of zeros. */
function zeros(blocks: number): Uint8Array {
  const head = [0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x58];
  const block = (last: number): number[] => {
    const word = last | (1 << 1) | (131072 << 3);
    return [word & 0xff, (word >> 8) & 0xff, word >> 16, 0];
  };
  const list = Array.from({ length: blocks }, (_, i) => block(i === blocks - 1 ? 1 : 0));
  return Uint8Array.from([...head, ...list.flat()]);
}

test('a zstd frame that unpacks to 1 GiB is given in small pieces', async () => {
  const packed = zeros(8192);
  let total = 0;
  let ahead = 0;
  const before = process.memoryUsage().arrayBuffers;
  for await (const piece of unzstd(each([packed]))) {
    total += piece.length;
    ahead = Math.max(ahead, process.memoryUsage().arrayBuffers - before);
    if (total > 1 << 28) break;
  }
  expect(total).toBeGreaterThan(1 << 28);
  expect(ahead).toBeLessThan(200 << 20);
});

test('zstd data may begin with a frame to be skipped, as pzstd writes it', async () => {
  const path = join(folder, 'x.zst');
  const skipped = Uint8Array.from([0x50, 0x2a, 0x4d, 0x18, 4, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);
  writeFileSync(path, Buffer.concat([skipped, packedSeeds()['zst']!]));
  const { meta } = await openTrace(path);
  expect([meta.format, meta.seen]).toEqual(['ftrace', 8]);
});

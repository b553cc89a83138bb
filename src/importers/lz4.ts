// LZ4, as Arrow and Parquet pack their buffers: the library unpacks a block and trusts what it is given, so the frame
// around blocks is read here, and checked.
import { decompressBlock } from 'lz4js';
import { FormatError } from './importer.js';

const magic = 0x184d2204;
const damaged = (why: string): FormatError => new FormatError(`lz4 data is damaged: ${why}`);

/** One block without a frame, which gives exactly `size` bytes. */
export function unlz4Block(packed: Uint8Array, size: number): Uint8Array {
  const out = new Uint8Array(size);
  const end = decompressBlock(packed, out, 0, packed.length, 0);
  if (end !== size) throw damaged(`a block gives ${end} bytes, but states ${size}`);
  return out;
}

/** Where the blocks of a frame begin, and whether a checksum follows each. Source: lz4_Frame_format.md, 1.6. */
function frameOf(view: DataView): { at: number; sums: boolean } {
  if (view.byteLength < 7 || view.getUint32(0, true) !== magic) throw damaged('no frame');
  const flags = view.getUint8(4);
  if (flags >> 6 !== 1) throw damaged(`version ${flags >> 6} of its frame`);
  const [sums, content, dictionary] = [16, 8, 1].map((bit) => (flags & bit) !== 0);
  if (dictionary) throw new FormatError('an lz4 frame that needs a dictionary');
  return { at: 7 + (content ? 8 : 0), sums: sums! };
}

/** A frame whose content is `size` bytes; its blocks may refer to those before. */
export function unlz4Frame(packed: Uint8Array, size: number): Uint8Array {
  const view = new DataView(packed.buffer, packed.byteOffset, packed.length);
  const out = new Uint8Array(size);
  let { at, sums } = frameOf(view);
  let to = 0;
  for (;;) {
    if (at + 4 > packed.length) throw damaged(`it ends at byte ${packed.length}, in its frame`);
    const word = view.getUint32(at, true);
    const length = word & 0x7fffffff;
    at += 4;
    if (length === 0) break;
    if (at + length > packed.length) throw damaged(`a block of ${length} bytes at byte ${at}`);
    const plain = word >>> 31 === 1;
    const end = plain ? to + length : decompressBlock(packed, out, at, length, to);
    if (end > size || Number.isNaN(end)) throw damaged(`more than the ${size} bytes stated`);
    if (plain) out.set(packed.subarray(at, at + length), to);
    at += length + (sums ? 4 : 0);
    to = end;
  }
  if (to !== size) throw damaged(`it gives ${to} bytes, but states ${size}`);
  return out;
}

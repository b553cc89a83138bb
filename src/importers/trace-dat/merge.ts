import { addUnparsed } from '../../events/meta.js';
import { FormatError } from '../importer.js';
import { type CpuReader, nextBlock } from './ring.js';
import { addRecords, noteMissed, type Rows, usePiece } from './rows.js';

/** Is the current record of `a` older than that of `b`? Of equal stamps the lower CPU comes first. */
function older(a: CpuReader, b: CpuReader): boolean {
  const [ah, bh] = [a.his[a.index]!, b.his[b.index]!];
  if (ah !== bh) return ah < bh;
  const [al, bl] = [a.los[a.index]!, b.los[b.index]!];
  return al < bl || (al === bl && a.rank < b.rank);
}

/** The next block of a CPU; false at its end, and where it is damaged, which is noted. */
function refill(r: Rows, c: CpuReader): boolean {
  let more = false;
  try {
    more = nextBlock(c);
  } catch (e) {
    if (!(e instanceof FormatError)) throw e;
    c.problem = `CPU ${c.cpu}: ${e.message}`;
    c.over = true;
  }
  if (c.problem !== null) {
    addUnparsed(r.meta, { offset: c.pieceAt + c.page, text: c.problem });
    r.meta.notes.push(c.problem);
    c.problem = null;
    c.damaged = true;
  }
  // Nobody knows how many records the damage hides: they are missing behind the last.
  if (!more && c.damaged && c.missed === 0) c.missed = -1;
  return more;
}

/** Where the first record of `c` behind its current one stands that is not older than the current one of `rival`. */
function runEnd(c: CpuReader, rival: CpuReader | null): number {
  const { his, los, count } = c;
  if (rival === null) return count;
  const hi = rival.his[rival.index]!;
  const lo = rival.los[rival.index]!;
  const first = c.rank < rival.rank;
  let i = c.index + 1;
  while (
    i < count &&
    (his[i]! < hi || (his[i] === hi && (los[i]! < lo || (first && los[i] === lo))))
  )
    i++;
  return i;
}

/** Rows of a CPU while its records are older than the next of `rival`; false at the CPU's end. */
function drain(r: Rows, c: CpuReader, rival: CpuReader | null): boolean {
  do {
    usePiece(c);
    if (c.index === 0) noteMissed(r, c);
    addRecords(r, c, runEnd(c, rival));
    if (c.index < c.count) return true;
    if (!refill(r, c)) {
      noteMissed(r, c); // lost at the end
      return false;
    }
  } while (rival === null || older(c, rival));
  return true;
}

/** All records of all CPUs by time. */
export function merge(r: Rows, readers: readonly CpuReader[]): void {
  for (const [rank, c] of readers.entries()) c.rank = rank;
  let live = readers.filter((c) => {
    const more = refill(r, c);
    if (!more) noteMissed(r, c);
    return more;
  });
  while (live.length > 0) {
    let best = live[0]!;
    let second: CpuReader | null = null;
    for (let i = 1; i < live.length; i++) {
      const c = live[i]!;
      if (older(c, best)) {
        second = best;
        best = c;
      } else if (second === null || older(c, second)) second = c;
    }
    if (!drain(r, best, second)) live = live.filter((c) => c !== best);
  }
}

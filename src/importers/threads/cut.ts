import { takeMemory } from '../../events/spare.js';
import { readHead } from '../ftrace/line.js';

/** Where the first event's line begins behind the first newline at `from` or later; -1 if none is seen to. */
function eventLineFrom(buf: Uint8Array, from: number): number {
  let start = buf.indexOf(10, from) + 1;
  for (let end = buf.indexOf(10, start); start > 0 && end >= 0; end = buf.indexOf(10, start)) {
    if (readHead(buf, start, end)) return start;
    start = end + 1;
  }
  return -1;
}

/** Cuts a stream of text into chunks. */
export interface Cutter {
  /**
   * The next bytes, at least `least` of them and in memory of their own, behind which an event's line begins,
   * or all that are left. Null at the end, and where no such line comes soon enough.
   */
  next(least: number): Promise<Uint8Array<ArrayBuffer> | null>;
  /** All that `next` did not give. */
  rest(): AsyncIterable<Uint8Array>;
}

const none = new Uint8Array(0);

/**
 * A cutter of `pieces`, each of which holds only until the next is asked for. An event's line must begin within
 * `windowBytes` behind the place where the text shall be cut.
 */
export function newCutter(pieces: AsyncIterable<Uint8Array>, windowBytes = 1 << 16): Cutter {
  const it = pieces[Symbol.asyncIterator]();
  /** Bytes read and not yet given: those behind the last cut, and the rest of the last piece. */
  let kept: Uint8Array<ArrayBuffer> = none;
  let piece: Uint8Array = none;
  let over = false;

  /** Keep `want` bytes, or all there are. */
  async function fill(want: number): Promise<void> {
    const buf = new Uint8Array(takeMemory(want));
    buf.set(kept);
    let used = kept.length;
    while (used < want && !over) {
      if (piece.length === 0) {
        const { done, value } = await it.next();
        over = done === true;
        piece = done ? none : value;
      }
      const part = piece.subarray(0, want - used);
      piece = piece.subarray(part.length);
      buf.set(part, used);
      used += part.length;
    }
    kept = buf.subarray(0, used);
  }

  return {
    async next(least) {
      const want = Math.max(kept.length, least + windowBytes);
      await fill(want);
      const end = kept.length < want ? kept.length : eventLineFrom(kept, least - 1);
      if (end <= 0) return null;
      const chunk = kept.subarray(0, end);
      kept = kept.slice(end);
      return chunk;
    },
    async *rest() {
      yield kept;
      yield piece;
      for (let n = await it.next(); !n.done; n = await it.next()) yield n.value;
    },
  };
}

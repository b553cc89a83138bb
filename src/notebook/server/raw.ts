// File descriptors 1 and 2 of the cells' process, as programs started by a cell write to them.
// The markers that the cells leave between are taken out, and tell how far we have read.
import type { Readable } from 'node:stream';

/** A raw stream being read. */
export interface Raw {
  /** Settles when fence `n` has come by, the stream has ended, or `ms` are over. */
  passed(n: number, ms: number): Promise<void>;
}

const longestMarker = 80;

/** Read `stream`; `take` gets all of it but the markers of `secret`. */
export function readRaw(stream: Readable, secret: string, take: (b: Buffer) => void): Raw {
  const begin = Buffer.from(`\0ptlab-${secret}-`);
  let held = Buffer.alloc(0);
  let seen = 0;
  let ended = false;
  let waiters: { n: number; done: () => void }[] = [];
  const wake = (): void => {
    waiters = waiters.filter(({ n, done }) => {
      if (!ended && seen < n) return true;
      done();
      return false;
    });
  };
  const give = (b: Buffer): void => {
    if (b.length > 0) take(b);
  };
  /** The first place from which on a marker may be cut off by the end of the chunk. */
  const cutAt = (b: Buffer): number => {
    const at = b.lastIndexOf(0);
    if (at < 0 || b.length - at > longestMarker) return b.length;
    const part = b.subarray(at, at + begin.length);
    return begin.subarray(0, part.length).equals(part) ? at : b.length;
  };
  stream.on('data', (chunk: Buffer) => {
    let rest = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    for (let at = rest.indexOf(begin); at >= 0; at = rest.indexOf(begin)) {
      const end = rest.indexOf(0, at + begin.length);
      if (end < 0) break;
      give(rest.subarray(0, at));
      seen = Number(rest.subarray(at + begin.length, end).toString('latin1'));
      rest = rest.subarray(end + 1);
    }
    const cut = cutAt(rest);
    give(rest.subarray(0, cut));
    held = Buffer.from(rest.subarray(cut));
    wake();
  });
  stream.on('close', () => {
    ended = true;
    give(held);
    wake();
  });
  return {
    passed(n, ms) {
      if (ended || seen >= n) return Promise.resolve();
      return new Promise((done) => {
        const timer = setTimeout(done, ms);
        const passed = () => {
          clearTimeout(timer);
          done();
        };
        waiters.push({ n, done: passed });
      });
    },
  };
}

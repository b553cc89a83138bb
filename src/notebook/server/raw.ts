// File descriptors 1 and 2 of the cells' process, as programs started by a cell write to them.
// The cells leave markers between, which are taken out. Marker n and frame n (a fence) are one
// point in time: what came before either is told before what comes after the other.
import type { Readable } from 'node:stream';

/** A raw stream being read. */
export interface Raw {
  /** Frame `n` has come: what follows marker `n` may be told. */
  open(n: number): void;
  /** Settles when marker `n` has come by, the stream has ended, or `ms` are over. */
  passed(n: number, ms: number): Promise<void>;
  /** Settles when the stream has ended, or `ms` are over and what has come is told. */
  closed(ms: number): Promise<void>;
}

const longestMarker = 80;

/** Where a marker may begin that the end of the chunk cuts off. */
function cutAt(bytes: Buffer, begin: Buffer): number {
  const at = bytes.lastIndexOf(0);
  if (at < 0 || bytes.length - at > longestMarker) return bytes.length;
  const part = bytes.subarray(at, at + begin.length);
  return begin.subarray(0, part.length).equals(part) ? at : bytes.length;
}

/** Read `stream`; `take` gets all of it but the markers of `secret`. */
export function readRaw(stream: Readable, secret: string, take: (b: Buffer) => void): Raw {
  const begin = Buffer.from(`\0ptlab-${secret}-`);
  let held: Buffer = Buffer.alloc(0);
  let seen = 0;
  let opened = 0;
  let ended = false;
  let waiters: { n: number; done: () => void }[] = [];
  const give = (b: Buffer): void => {
    if (b.length > 0) take(b);
  };
  const wake = (): void => {
    const ready = waiters.filter(({ n }) => ended || seen >= n);
    waiters = waiters.filter((w) => !ready.includes(w));
    for (const { done } of ready) done();
  };
  const read = (): void => {
    while (seen <= opened || ended) {
      const at = held.indexOf(begin);
      const end = at < 0 ? -1 : held.indexOf(0, at + begin.length);
      if (end < 0) break;
      give(held.subarray(0, at));
      seen = Number(held.subarray(at + begin.length, end).toString('latin1'));
      held = held.subarray(end + 1);
      wake();
    }
    if (seen > opened && !ended) return;
    const cut = ended ? held.length : cutAt(held, begin);
    give(held.subarray(0, cut));
    held = held.subarray(cut);
  };
  stream.on('data', (chunk: Buffer) => {
    held = held.length > 0 ? Buffer.concat([held, chunk]) : chunk;
    read();
  });
  stream.on('close', () => {
    ended = true;
    read();
    wake();
  });
  const open = (n: number): void => {
    opened = Math.max(opened, n);
    read();
  };
  const passed = (n: number, ms: number): Promise<void> => {
    if (ended || seen >= n) return Promise.resolve();
    return new Promise((done) => {
      const timer = setTimeout(done, ms);
      waiters.push({
        n,
        done() {
          clearTimeout(timer);
          done();
        },
      });
    });
  };
  const never = Number.POSITIVE_INFINITY;
  return { open, passed, closed: (ms) => passed(never, ms).then(() => open(never)) };
}

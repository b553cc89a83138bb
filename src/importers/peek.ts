// The first bytes of a stream, looked at before it is read.

interface Peeked {
  readonly head: Uint8Array;
  readonly pieces: AsyncGenerator<Uint8Array>;
  readonly drop: () => Promise<void>;
}

/** Bytes that an importer may look at to know its format. */
export const headBytes = 1 << 16;

/**
 * The first bytes, at least `headBytes` of them where there are so many, and the whole again; `drop`
 * closes it instead.
 */
export async function peek(pieces: AsyncIterable<Uint8Array>): Promise<Peeked> {
  const it = pieces[Symbol.asyncIterator]();
  const first: Uint8Array[] = [];
  for (let have = 0; have < headBytes; ) {
    const n = await it.next();
    if (n.done) break;
    first.push(n.value);
    have += n.value.length;
  }
  async function* again() {
    yield* first.splice(0);
    for (let n = await it.next(); !n.done; n = await it.next()) yield n.value;
  }
  const head = first.length === 1 ? first[0]! : Buffer.concat(first);
  const drop = async (): Promise<void> => void (await it.return?.());
  return { head: head as Uint8Array, pieces: again(), drop };
}

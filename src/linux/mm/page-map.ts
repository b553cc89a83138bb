/** A map from page numbers (up to 2^52) to area ids: what Map does, without an object per key. */
export interface PageMap {
  get(page: number): number | undefined;
  set(page: number, id: number): void;
  /** Was it there? */
  delete(page: number): boolean;
  values(): Generator<number>;
  [Symbol.iterator](): Generator<[page: number, id: number]>;
  readonly size: number;
}

const EMPTY = -1;

/** An empty map: open addressing, linear probing, at most half full. */
export function pageMap(): PageMap {
  let bits = 10;
  let keys = new Float64Array(2 ** bits).fill(EMPTY);
  let ids = new Int32Array(2 ** bits);
  let size = 0;

  const home = (page: number): number => Math.imul(page | 0, 0x9e3779b1) >>> (32 - bits);

  function find(page: number): number {
    const mask = keys.length - 1;
    let i = home(page);
    while (keys[i] !== page && keys[i] !== EMPTY) i = (i + 1) & mask;
    return i;
  }

  function grow(): void {
    const [oldKeys, oldIds] = [keys, ids];
    bits++;
    keys = new Float64Array(2 ** bits).fill(EMPTY);
    ids = new Int32Array(2 ** bits);
    for (let i = 0; i < oldKeys.length; i++) {
      if (oldKeys[i] === EMPTY) continue;
      const at = find(oldKeys[i]!);
      keys[at] = oldKeys[i]!;
      ids[at] = oldIds[i]!;
    }
  }

  /** Close the gap at `hole`, so that every key is found from its home without passing an empty place. */
  function closeGap(hole: number): void {
    const mask = keys.length - 1;
    for (let i = (hole + 1) & mask; keys[i] !== EMPTY; i = (i + 1) & mask) {
      const way = (i - home(keys[i]!)) & mask;
      if (way < ((i - hole) & mask)) continue;
      keys[hole] = keys[i]!;
      ids[hole] = ids[i]!;
      hole = i;
    }
    keys[hole] = EMPTY;
  }

  return {
    get(page) {
      const i = find(page);
      return keys[i] === page ? ids[i] : undefined;
    },
    set(page, id) {
      if (size * 2 >= keys.length) grow();
      const i = find(page);
      if (keys[i] === EMPTY) size++;
      keys[i] = page;
      ids[i] = id;
    },
    delete(page) {
      const i = find(page);
      if (keys[i] !== page) return false;
      size--;
      closeGap(i);
      return true;
    },
    *values() {
      for (let i = 0; i < keys.length; i++) if (keys[i] !== EMPTY) yield ids[i]!;
    },
    *[Symbol.iterator]() {
      for (let i = 0; i < keys.length; i++) if (keys[i] !== EMPTY) yield [keys[i]!, ids[i]!];
    },
    get size() {
      return size;
    },
  };
}

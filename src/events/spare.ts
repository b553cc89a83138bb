// Memory that was filled once and is done with, to be filled again: fresh memory costs the system a page fault for
// every 4 KiB, and the garbage collector a round for every few dozen MB.
const spare = new Map<number, ArrayBuffer[]>();

/** Memory of `bytes` bytes, all zero. */
export function takeMemory(bytes: number): ArrayBuffer {
  const known = spare.get(bytes)?.pop();
  if (known === undefined) return new ArrayBuffer(bytes);
  new Uint8Array(known).fill(0);
  return known;
}

/** Give memory back, of which nobody keeps a view. */
export function giveMemory(memory: readonly ArrayBuffer[]): void {
  for (const m of memory) {
    const list = spare.get(m.byteLength);
    if (list) list.push(m);
    else spare.set(m.byteLength, [m]);
  }
}

declare module 'lz4js' {
  /** Unpacks `length` bytes of a block from `from` on into `to` at `at`; gives where it ends there, also beyond `to`. */
  export function decompressBlock(
    packed: Uint8Array,
    to: Uint8Array,
    from: number,
    length: number,
    at: number,
  ): number;
}

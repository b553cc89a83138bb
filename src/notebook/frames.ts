// What the server of a kernel and the process of its cells say to each other, over pipes.
// A frame is 9 bytes (length of the body, kind, cell) and a body.

/** What a frame's body is. */
export const kinds = {
  /** Bytes for stdout or stderr of a cell. */
  stdout: 1,
  stderr: 2,
  /** JSON {type, content}: an iopub message of a cell. */
  message: 3,
  /** JSON: a request to the cells, or the answer to one. */
  call: 4,
  /** Body empty: the marker of this number has been written to file descriptors 1 and 2. */
  fence: 5,
} as const;

export type Kind = (typeof kinds)[keyof typeof kinds];

export interface Frame {
  readonly kind: Kind;
  /** The cell it belongs to (of a fence: its number). */
  readonly cell: number;
  readonly body: Buffer;
}

export const headBytes = 9;

/** Write the head of a frame whose body has `size` bytes to the beginning of `bytes`. */
export function putHead(bytes: Buffer, kind: Kind, cell: number, size: number): void {
  bytes.writeUInt32LE(size, 0);
  bytes.writeUInt8(kind, 4);
  bytes.writeUInt32LE(cell, 5);
}

/** The bytes of a frame. */
export function frame(kind: Kind, cell: number, body: Uint8Array | string): Buffer {
  const size = typeof body === 'string' ? Buffer.byteLength(body) : body.length;
  const all = Buffer.allocUnsafe(headBytes + size);
  putHead(all, kind, cell, size);
  if (typeof body === 'string') all.write(body, headBytes);
  else all.set(body, headBytes);
  return all;
}

/** Cuts a stream of bytes into frames: feed it chunks, it gives the frames that became whole. */
export function frameReader(): (chunk: Buffer) => Frame[] {
  let held: Buffer[] = [];
  let size = 0;
  let wanted = headBytes;
  return (chunk) => {
    held.push(chunk);
    size += chunk.length;
    if (size < wanted) return [];
    let rest = held.length === 1 ? chunk : Buffer.concat(held, size);
    const found: Frame[] = [];
    for (;;) {
      wanted = rest.length < headBytes ? headBytes : headBytes + rest.readUInt32LE(0);
      if (rest.length < wanted) break;
      const body = rest.subarray(headBytes, wanted);
      found.push({ kind: rest.readUInt8(4) as Kind, cell: rest.readUInt32LE(5), body });
      rest = rest.subarray(wanted);
    }
    held = [rest];
    size = rest.length;
    return found;
  };
}

/** What the cells are asked. */
export type Call =
  | { ask: 'execute'; code: string; label: string; expressions: Record<string, string> }
  | { ask: 'complete' | 'inspect'; code: string; at: number }
  | { ask: 'is_complete'; code: string };

/** What went wrong in a cell. */
export interface CellError {
  readonly ename: string;
  readonly evalue: string;
  readonly traceback: string[];
}

type Bundle = Record<string, unknown>;
type Shown = { data: Bundle; metadata: Bundle };

/** How an execution ended. */
export interface Executed {
  readonly error?: CellError;
  /** The value of the last expression, if it has one to show. */
  readonly result?: Shown;
  readonly expressions: Record<string, unknown>;
}

/** The descriptors of the cells' process besides 0, 1 and 2. */
export const pipes = { toServer: 3, fromServer: 4, interrupts: 5 } as const;

/** Slots of the memory that the cells' process shares with its watchdog. */
export const slots = { running: 0, compiling: 1, acknowledged: 2, finished: 3, count: 4 } as const;

/** A line on a raw descriptor that says: all before this was written before fence `n`. */
export const marker = (secret: string, n: number): string => `\0ptlab-${secret}-${n}\0`;

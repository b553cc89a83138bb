/** Trace data of one CPU in one buffer: raw ring-buffer pages, maybe packed. */
export interface CpuData {
  readonly cpu: number;
  readonly offset: number;
  readonly size: number;
}

/** One trace buffer: the top one, or an instance. */
export interface DatBuffer {
  /** Name of the instance; '' for the top one. */
  readonly name: string;
  readonly clock: string | null;
  readonly pageSize: number;
  readonly packed: boolean;
  readonly cpus: readonly CpuData[];
}

/** A trace saved as text: where it lies, maybe packed. */
export interface DatText {
  readonly offset: number;
  readonly size: number;
  readonly packed: boolean;
}

/** What an option of a trace.dat says: id, bytes, and where they lie in the file. */
export interface DatOption {
  readonly id: number;
  readonly data: Uint8Array;
  readonly at: number;
}

/** Ids of the options that are read. */
export const optionId = {
  done: 0,
  date: 1,
  cpuStat: 2,
  buffer: 3,
  traceClock: 4,
  uname: 5,
  offset: 7,
  cpuCount: 8,
  version: 9,
  traceId: 11,
  timeShift: 12,
  guest: 13,
  tsc: 14,
  headers: 16,
  ftraceEvents: 17,
  eventFormats: 18,
  kallsyms: 19,
  printk: 20,
  cmdlines: 21,
  bufferText: 22,
  tgids: 32,
} as const;

/** One event format file, and the system (sched, kmem ...) it came from. */
export interface FormatText {
  readonly system: string;
  readonly text: string;
}

/** The whole of a trace.dat but for the trace data itself. */
export interface Dat {
  readonly version: number;
  readonly little: boolean;
  readonly longBytes: number;
  readonly pageSize: number;
  /** 'none', 'zlib', 'zstd'. */
  readonly compression: string;
  headerPage: string;
  headerEvent: string;
  readonly formats: FormatText[];
  /** /proc/kallsyms, printk_formats and saved_cmdlines of the traced machine. */
  kallsyms: Uint8Array;
  printk: string;
  cmdlines: string;
  readonly options: DatOption[];
  readonly buffers: DatBuffer[];
  /** Texts of tracefs' trace file, where the trace was saved as text: offset and size. */
  readonly texts: DatText[];
  readonly notes: string[];
}

/** Text of an option that is a C string. */
export const optionText = (o: DatOption): string =>
  Buffer.from(o.data).toString('utf8').replace(/\0.*$/s, '').trim();

/** Number of CPUs that an option of these states; an older option of the same id is text. */
export function cpuCount(options: readonly DatOption[], little: boolean): number | null {
  const o = options.findLast(({ id, data }) => id === optionId.cpuCount && data.length === 4);
  return o ? new DataView(o.data.buffer, o.data.byteOffset, 4).getUint32(0, little) : null;
}

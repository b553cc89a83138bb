/**
 * How a column is kept: dictionary-coded text, whole text, or a number.
 * `u64` is exact; `f64` holds whole numbers up to 2^53 and every power of two exactly.
 */
export type Kind = 'dict' | 'text' | 'u8' | 'u16' | 'u32' | 'i32' | 'i64' | 'u64' | 'f64' | 'bool';

/** One column of a trace. */
export interface Column {
  readonly kind: Kind;
  /** 'ns', 'bytes', 'pages', '4K pages' ...; empty where a unit makes no sense. */
  readonly unit: string;
  readonly meaning: string;
  /** May a row leave it out? */
  readonly nullable: boolean;
}

const always = <K extends Kind>(kind: K, unit: string, meaning: string) => ({
  kind,
  unit,
  meaning,
  nullable: false,
});

const maybe = <K extends Kind>(kind: K, unit: string, meaning: string) => ({
  kind,
  unit,
  meaning,
  nullable: true,
});

/**
 * The one dictionary of columns: Arrow schema and metadata, docs and importer checks come from it.
 * Core columns first, then what ptlab's analyses use, then what is kept as it was found.
 */
export const columns = {
  seq: always('u32', '', 'place of the event in its source, from 0'),
  ts_ns: always('i64', 'ns', "time stamp in the trace's clock"),
  cpu: maybe('u16', '', 'CPU that ran it'),
  pid: maybe('i32', '', 'thread id; 0 is the idle task'),
  tgid: maybe('i32', '', 'process id, if recorded'),
  task: maybe('dict', '', 'name of the thread (comm)'),
  event: always('dict', '', 'event name; print = trace_printk, tracing_mark_write = trace_marker'),
  flags: maybe('dict', '', 'irqs-off, need-resched, context, preempt depth, migrate-disable'),
  at: maybe('dict', '', 'place in the code: of a probe, a print, a traced function'),
  va: maybe('u64', '', 'virtual address the event is about'),
  va_page: maybe('f64', '4K pages', 'va / 4096, which a double holds exactly'),
  size_bytes: maybe('f64', 'bytes', 'size of the area asked for, as the event gives it'),
  align_bytes: maybe('f64', 'bytes', 'alignment asked for'),
  range_start: maybe('u64', '', 'start of the range searched (allocation) or flushed (purge)'),
  range_end: maybe('u64', '', 'end of that range'),
  vm_flags: maybe('u32', '', 'flags of the area; 0x400 = may be mapped huge'),
  phys: maybe('u64', '', 'physical address mapped'),
  level: maybe('dict', '', 'level of the page table: pgd p4d pud pmd pte'),
  order: maybe('u8', '', 'order of the pages: 2^order base pages'),
  entry_at: maybe('u64', '', 'address of the page-table entry'),
  entry: maybe('u64', '', 'value of the page-table entry before the event'),
  object: maybe('u64', '', 'other kernel object: vmap node, work item, static key'),
  full: maybe('bool', '', 'decay of a vmap node: whole pools, not a quarter'),
  lock: maybe('u64', '', 'address of the lock, or of the mm whose mmap_lock it is'),
  lock_mode: maybe('dict', '', 'read, write, or the flags of a contention event'),
  ok: maybe('bool', '', 'the attempt succeeded'),
  ret: maybe('i64', '', 'return value'),
  count: maybe('f64', '', 'how many: areas purged, pages lazily freed'),
  limit: maybe('f64', '', 'the bound that count is held against'),
  wait_ns: maybe('f64', 'ns', 'time waited'),
  duration_ns: maybe('f64', 'ns', 'time from begin to end of what the event closes'),
  detail: maybe('text', '', 'payload as found, where typed columns do not hold all of it'),
  stack: maybe('text', '', 'call stack, innermost first, one frame a line'),
  source: maybe('dict', '', 'file the event came from, where several were merged'),
} as const satisfies Record<string, Column>;

export type ColumnName = keyof typeof columns;

/** Columns by kind, as types: `NameOf<'u64'>` is va, entry, lock ... */
export type NameOf<K extends Kind> = {
  [N in ColumnName]: (typeof columns)[N]['kind'] extends K ? N : never;
}[ColumnName];

export const columnNames = Object.keys(columns) as ColumnName[];

/** Version of the dictionary, written into every file. */
export const schemaVersion = 1;

/** The dictionary as a Markdown table, for the docs. */
export function schemaTable(): string {
  const rows = columnNames.map((n) => {
    const { kind, unit, meaning, nullable } = columns[n] as Column;
    return `| ${n} | ${kind}${nullable ? '?' : ''} | ${unit} | ${meaning} |`;
  });
  return ['| column | type | unit | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

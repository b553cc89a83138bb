import { bpftrace } from './bpftrace.js';
import { dmesg } from './dmesg.js';
import { ftrace } from './ftrace.js';
import type { Importer } from './importer.js';
import { parquet } from './parquet.js';
import { perfData, perfScript } from './perf-script.js';
import { arrow, csv } from './tables.js';
import { traceDat } from './trace-dat.js';

/** Every format by name, in the order they are tried: the surest signs first. */
export const importers = {
  'trace-dat': traceDat,
  'perf-data': perfData,
  arrow,
  parquet,
  csv,
  ftrace,
  bpftrace,
  'perf-script': perfScript,
  dmesg,
} satisfies Record<string, Importer>;

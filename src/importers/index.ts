import { ftrace } from './ftrace.js';
import type { Importer } from './importer.js';
import { traceDat } from './trace-dat.js';

/** Every format by name, in the order they are tried: the surest signs first. */
export const importers = {
  'trace-dat': traceDat,
  ftrace,
} satisfies Record<string, Importer>;

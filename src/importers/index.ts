import { ftrace } from './ftrace.js';
import type { Importer } from './importer.js';

/** Every format by name, in the order they are tried: the surest signs first. */
export const importers = {
  ftrace,
} satisfies Record<string, Importer>;

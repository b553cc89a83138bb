// The public names of ptlab, grouped by room.

// events: the one schema, traces, their files
export { readTrace } from './events/file.js';
export type { TraceMeta } from './events/meta.js';
export { type Column, columns, schemaTable } from './events/schema.js';
export { counts, span, type Trace } from './events/trace.js';
// importers: anything a kernel developer has
export { importFile, type OpenOptions, openTrace } from './importers/open.js';
// linux: modelled kernel code
export type { Scenario } from './linux/scenario.js';
export type { Scheme } from './linux/scheme.js';
export type { Kernel, Step } from './linux/step.js';
export type { System } from './linux/system.js';

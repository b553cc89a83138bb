// The public names of ptlab, grouped by room.

// analyses: trace -> table
export { type Info, infoOf } from './analyses/info.js';
export { type Overwrite, type Overwrites, overwrites } from './analyses/overwrites.js';
// events: the one schema, traces, their files
export { readTrace } from './events/file.js';
export type { TraceMeta } from './events/meta.js';
export { type Column, columns, schemaTable } from './events/schema.js';
export { counts, span, type Trace } from './events/trace.js';
// importers: anything a kernel developer has
export { importFile, type OpenOptions, openTrace } from './importers/open.js';
// linux: modelled kernel code
export type { Kernel, Step } from './linux/step.js';

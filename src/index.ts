// The public names of ptlab, grouped by room.

// analyses: trace -> table
export { type Info, infoOf } from './analyses/info.js';
export { type Overwrite, type Overwrites, overwrites } from './analyses/overwrites.js';
// charts: table -> Vega-Lite spec
export type { About, Chart, Spec } from './charts/chart.js';
export { chart, load } from './commands/notebook.js';
// events: the one schema, traces, their files
export { readTrace } from './events/file.js';
export type { TraceMeta } from './events/meta.js';
export { type Column, columns, schemaTable } from './events/schema.js';
export { counts, span, type Trace } from './events/trace.js';
// export: spec -> text, picture
export { toPng, toSvg } from './export/image.js';
export { toText } from './export/text.js';
// importers: anything a kernel developer has
export { importFile, type OpenOptions, openTrace } from './importers/open.js';
// linux: modelled kernel code
export type { Scenario } from './linux/scenario.js';
export type { Scheme } from './linux/scheme.js';
export type { Kernel, Step } from './linux/step.js';
export type { System } from './linux/system.js';
// notebook: what cells call
export { plot, text } from './notebook/display.js';

// The public names of ptlab, grouped by room.

// analyses: trace -> table
export { type Info, infoOf } from './analyses/info.js';
export { type Overwrite, type Overwrites, overwrites } from './analyses/overwrites.js';
// charts: table -> Vega-Lite spec
export type { About, Chart, Spec } from './charts/chart.js';
export { insert, openMail, textOf } from './commands/mail-cells.js';
export { chart, load } from './commands/notebook.js';
// events: the one schema, traces, their files
export { readTrace } from './events/file.js';
export type { TraceMeta } from './events/meta.js';
export { type Column, columns, schemaTable } from './events/schema.js';
export { counts, span, type Trace } from './events/trace.js';
// export: spec -> text, picture, page; mail
export { toHtml } from './export/html.js';
export { toPng, toSvg } from './export/image.js';
export { makeReply, type ReplyOptions } from './export/mail.js';
export { lintMail } from './export/mail-lint.js';
export { type Mail, readMail } from './export/mail-read.js';
export { toText } from './export/text.js';
// importers: anything a kernel developer has
export { importFile, type OpenOptions, openTrace } from './importers/open.js';
// linux: modelled kernel code
export type { Kernel, Step } from './linux/step.js';
// notebook: what cells call
export { plot, text } from './notebook/display.js';

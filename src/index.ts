// The public names of ptlab, grouped by room.

// analyses: trace -> table
export { tablesOfDump } from './analyses/dump-tables.js';
export { type Info, infoOf } from './analyses/info.js';
export { type Overwrite, type Overwrites, overwrites } from './analyses/overwrites.js';
export { type Prediction, predict } from './analyses/prediction.js';
export { type RaceWindow, type RaceWindows, raceWindows } from './analyses/race-windows.js';
export { type RunCosts, runCosts } from './analyses/run-costs.js';
export { type SleepCosts, sleepCosts } from './analyses/sleep-costs.js';
export { type SweepRow, sweep, sweepPoint, type TestRow, testSweep } from './analyses/sweep.js';
// charts: table -> Vega-Lite spec
export type { About, Chart, Spec } from './charts/chart.js';
export { type RaceShare, raceShare } from './charts/race-share.js';
export { type SweptRow, sweepChart } from './charts/sweep.js';
export { type Checklist, checklist } from './commands/checklist.js';
export {
  costsOf,
  curvesOfSleeps,
  linesOfCosts,
  loadRuns,
  sameWork,
  sweepCosts,
  tableOfCosts,
} from './commands/cost-runs.js';
export { costWords, type NamedCosts, type SweptRun, sweepWords } from './commands/cost-words.js';
export { insert, openMail, replyTo, saveReply, textOf } from './commands/mail-cells.js';
export { chart, load } from './commands/notebook.js';
export {
  type Explored,
  exploredWords,
  exploreRows,
  raceSizes,
} from './commands/notebook-explored.js';
export { type Compared, compare, eventTable, trace } from './commands/notebook-tables.js';
export { compareWith, inWords } from './commands/notebook-words.js';
export { schemeOf } from './commands/scheme-file.js';
export { type SimulatedRun, simulated } from './commands/simulated.js';
// engines: every interleaving, and what went wrong
export { diagram } from './engines/diagram.js';
export { type ExploreOptions, explore } from './engines/explore.js';
export { explorers } from './engines/memories.js';
export { replay } from './engines/replay.js';
export { sample } from './engines/sample.js';
export { decodeToken } from './engines/token.js';
export type { Move, Verdict } from './engines/verdict.js';
export { type RaceWindow as ExploredWindow, raceWindow } from './engines/window.js';
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
export { type DumpLine, readPageTables, staleTables } from './importers/page-tables.js';
export { readVmallocInfo, type VmallocInfoArea } from './importers/vmallocinfo.js';
// linux: modelled kernel code
export { type Era, eraOf, eras } from './linux/eras.js';
export * from './linux/helpers.js';
export type { Scenario } from './linux/scenario.js';
export { type Frame, type Scheme, variants } from './linux/scheme.js';
export type { Kernel, Step } from './linux/step.js';
export { lock, place, region, type System } from './linux/system.js';
// notebook: what cells call
export {
  clearOutput,
  display,
  type MimeBundle,
  mimeBundle,
  newDisplay,
  plot,
  type Shown,
  text,
} from './notebook/display.js';
// schemes, scenarios: who locks how, who runs what
export { claims } from './scenarios/claims.js';
export { scenarios } from './scenarios/index.js';
export { rows } from './scenarios/rows.js';
export { schemes } from './schemes/index.js';

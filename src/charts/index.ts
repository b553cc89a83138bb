import type { Chart } from './chart.js';
import { byTask, overTime, tableAges } from './overwrites.js';
import { summary } from './overwrites-summary.js';
import { lockPercentiles, lockWaits, raceSummary, windowsOverTime } from './race-windows.js';
import { sleepSummary, timeAsleep } from './sleep-costs.js';

/** Every chart by name. */
export const charts = {
  'lock-percentiles': lockPercentiles,
  'lock-waits': lockWaits,
  overwrites: overTime,
  'overwrites-by-task': byTask,
  'overwrites-summary': summary,
  'race-windows': windowsOverTime,
  'race-windows-summary': raceSummary,
  'sleep-costs-summary': sleepSummary,
  'table-ages': tableAges,
  'time-asleep': timeAsleep,
} satisfies Record<string, Chart<unknown>>;

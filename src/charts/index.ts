import type { Chart } from './chart.js';
import { byTask, overTime, tableAges } from './overwrites.js';
import { summary } from './overwrites-summary.js';

/** Every chart by name. */
export const charts = {
  overwrites: overTime,
  'overwrites-by-task': byTask,
  'overwrites-summary': summary,
  'table-ages': tableAges,
} satisfies Record<string, Chart<unknown>>;

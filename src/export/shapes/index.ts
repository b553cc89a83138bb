import type { Block } from '../text.js';
import { bars } from './bars.js';
import { compare } from './compare.js';
import { excerpt } from './excerpt.js';
import { histogram } from './histogram.js';
import { percentiles } from './percentiles.js';
import { cdf, series } from './plot.js';
import { race } from './race.js';
import { table } from './table.js';

/** Every text shape by name: a block's rows as lines. */
export const shapes = {
  'log2-histogram': histogram,
  bars,
  cdf,
  compare,
  excerpt,
  percentiles,
  race,
  series,
  table,
} satisfies Record<string, (block: Block) => string[]>;

import type { Scenario } from '../linux/scenario.js';
import { checkWx } from './check-wx.js';
import { hwWalk } from './hw-walk.js';
import { nowait } from './nowait.js';
import { pmdFree } from './pmd-free.js';
import { pudFree } from './pud-free.js';

/** Every scenario by its name; the CLI, tests and docs iterate over this. */
export const scenarios = {
  'pmd-free': pmdFree,
  'pud-free': pudFree,
  'check-wx': checkWx,
  nowait,
  'hw-walk': hwWalk,
} satisfies Record<string, Scenario>;

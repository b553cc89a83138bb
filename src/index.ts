// The public names of ptlab, grouped by room.
export type { Scenario } from './linux/scenario.js';
export type { Scheme } from './linux/scheme.js';
export type { Kernel, Step } from './linux/step.js';
export type { System } from './linux/system.js';

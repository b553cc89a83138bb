// The public names of ptlab, grouped by room.
export type { Kernel, Step } from './linux/step.js';

import { interleave } from './interleave.js';
import type { Outcomes, Program } from './program.js';

/** Every final state of a program under sequential consistency. */
export const sc = (p: Program): Outcomes => interleave(p, false);

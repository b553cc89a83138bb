import { interleave } from './interleave.js';
import type { Outcomes, Program } from './program.js';

/** Every final state of a program under total store order (x86-like store buffers). */
export const tso = (p: Program): Outcomes => interleave(p, true);

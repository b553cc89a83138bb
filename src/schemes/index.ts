import type { Scheme } from '../linux/scheme.js';
import { asyncFree } from './async-free.js';
import { lockClearFree } from './lock-clear-free.js';
import { lockV6Nested } from './lock-v6-nested.js';
import { none } from './none.js';
import { otherMm } from './other-mm.js';
import { percpuClear } from './percpu-clear.js';
import { percpuClearFree } from './percpu-clear-free.js';
import { rcuFree } from './rcu-free.js';
import { rcuSample } from './rcu-sample.js';
import { rcuSampleClear } from './rcu-sample-clear.js';
import { rcuWalker } from './rcu-walker.js';
import { sampleFirst } from './sample-first.js';
import { trylock } from './trylock.js';
import { trylockV6Nested } from './trylock-v6-nested.js';
import { v1 } from './v1.js';
import { v2 } from './v2.js';
import { v3 } from './v3.js';
import { v4 } from './v4.js';
import { v5 } from './v5.js';
import { v6 } from './v6.js';

/** Every locking scheme by its name, in the order of the story; the CLI, tests and docs iterate over this. */
export const schemes = {
  none,
  v1,
  v2,
  'lock-clear-free': lockClearFree,
  v3,
  v4,
  v5,
  'sample-first': sampleFirst,
  'percpu-clear': percpuClear,
  'percpu-clear-free': percpuClearFree,
  'rcu-sample-clear': rcuSampleClear,
  'rcu-sample': rcuSample,
  'rcu-walker': rcuWalker,
  v6,
  trylock,
  'lock-v6-nested': lockV6Nested,
  'trylock-v6-nested': trylockV6Nested,
  'other-mm': otherMm,
  'rcu-free': rcuFree,
  'async-free': asyncFree,
} satisfies Record<string, Scheme>;

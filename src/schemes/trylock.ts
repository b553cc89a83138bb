import { mmap_read_trylock } from '../linux/lock.js';
import { branch } from '../linux/memory.js';
import type { Scheme } from '../linux/scheme.js';
import { init_mm, readUnlock } from './parts.js';

/** 7.2: try the lock around free and set; if a dump has it (or waits for it), map with PTEs instead. */
export const trylock: Scheme = {
  name: 'trylock',
  title: 'mmap_read_trylock around free and set; no key',
  source: 'commit 88260ca66359 (7.2-rc6), CVE-2026-74672',
  era: 'C',
  claim: 'never waits: a dump costs a lost block mapping',
  expect: {
    sc: { judge: 'SPIN', verdict: 'safe' },
    arm64: { judge: 'herd7, LKMM', verdict: 'safe' },
  },
  pudOrder: 'children-first',
  *enterOverwrite(sys, frame) {
    if (sys.variant.has('no-free-lock')) return true;
    const taken = yield* mmap_read_trylock(init_mm(sys));
    yield* branch(init_mm(sys));
    frame['locked'] = taken;
    return taken === 1;
  },
  leaveOverwrite: readUnlock,
};

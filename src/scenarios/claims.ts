// What the mails of the thread claim, each with the runs that settle it.
import type { Row } from './rows.js';

/** A run of a claim, and what it must come to for the claim's ruling to stand. */
export interface Check extends Pick<Row, 'scenario' | 'scheme' | 'sizes' | 'variant'> {
  readonly memory: 'sc' | 'arm64';
  readonly verdict: 'safe' | 'bug';
}

export interface Claim {
  readonly who: string;
  readonly says: string;
  /** What the runs come to. */
  readonly ruling: string;
  readonly checks: readonly Check[];
}

const pmd = (
  scheme: Row['scheme'],
  verdict: Check['verdict'],
  sizes: Row['sizes'] = {},
  variant: Row['variant'] = [],
): Check => ({ scenario: 'pmd-free', scheme, sizes, variant, memory: 'sc', verdict });
/** The same where the claim is about the order of memory. */
const arm64 = (...check: Parameters<typeof pmd>): Check => ({ ...pmd(...check), memory: 'arm64' });
const checkWx = (
  scheme: Row['scheme'],
  memory: Check['memory'],
  verdict: Check['verdict'],
): Check => ({ scenario: 'check-wx', scheme, sizes: {}, variant: [], memory, verdict });
const two = { readers: 2 };

/** The claims, in the order of the thread. */
export const claims: readonly Claim[] = [
  {
    who: 'Ryan Roberts, first interleaving',
    says: 'v3 breaks: key on, write lock, ptdump reads the entry, vmalloc clears it, ptdump goes on',
    ruling:
      'no use after free with one reader (the free waits for the lock); real with two readers, or without a lock',
    checks: [pmd('v3', 'safe'), pmd('v3', 'bug', two), pmd('none', 'bug')],
  },
  {
    who: 'Ryan Roberts, second interleaving',
    says: 'testing the key before the clear breaks',
    ruling: 'real for his own variant; cannot happen in v3, which tests after the clear',
    checks: [pmd('sample-first', 'bug'), pmd('v3', 'safe')],
  },
  {
    who: 'Dev Jain, comment in v3',
    says: 'key seen off: the walk sees the cleared entry; key seen on: the lock orders the free',
    ruling:
      'right for one reader, wrong for two: the first to finish disables the key under the other; v6 counts',
    checks: [
      pmd('v3', 'safe'),
      pmd('v3', 'bug', two),
      checkWx('v3', 'sc', 'bug'),
      checkWx('v6', 'sc', 'safe'),
      pmd('v6', 'safe', two),
      arm64('v3', 'safe'),
      arm64('v3', 'safe', {}, ['flag']),
      arm64('v3', 'bug', two),
      checkWx('v3', 'arm64', 'bug'),
      checkWx('v6', 'arm64', 'safe'),
      arm64('v6', 'safe', two),
    ],
  },
  {
    who: 'Dev Jain',
    says: 'two vmalloc objects point to different tables: no race between them',
    ruling: 'right, two freers with one and with two readers',
    checks: [
      pmd('v3', 'safe', { freers: 2 }),
      pmd('v6', 'safe', { freers: 2 }),
      pmd('v6', 'safe', { freers: 2, readers: 2 }),
    ],
  },
  {
    who: 'Ryan Roberts',
    says: 'a percpu_rw_semaphore would do',
    ruling:
      'correct; its price is the grace period of the writer, and the reader may not be atomic',
    checks: [
      pmd('percpu-clear', 'safe'),
      pmd('percpu-clear-free', 'safe'),
      { ...pmd('percpu-clear', 'bug'), scenario: 'nowait' },
    ],
  },
  {
    who: 'the RCU idea',
    says: 'an RCU section in vmalloc and synchronize_rcu in ptdump order the two',
    ruling: 'only if the section also covers the clear, and the key counts readers',
    checks: [
      pmd('rcu-sample', 'bug'),
      pmd('rcu-sample-clear', 'safe'),
      pmd('rcu-sample-clear', 'bug', two),
      pmd('rcu-sample-clear', 'safe', two, ['inc-dec']),
    ],
  },
  {
    who: 'Dev Jain, proof of v5',
    says: 'the acquire of the lock makes the key visible to vmalloc',
    ruling:
      'wrong: with the lock and without IPI and ISB the old branch is executed (either is enough); with the lock and without the DSB, or the barrier of the enable, a plain key is read too early',
    checks: [
      pmd('v6', 'bug', {}, ['jump-label', 'no-ipi', 'no-isb']),
      arm64('v6', 'bug', {}, ['jump-label', 'no-ipi', 'no-isb']),
      arm64('v6', 'safe', {}, ['jump-label', 'no-ipi']),
      arm64('v6', 'safe', {}, ['jump-label', 'no-isb']),
      arm64('v5', 'safe', {}, ['flag']),
      arm64('v5', 'bug', {}, ['flag', 'dmb-flush']),
      arm64('v5', 'bug', {}, ['flag', 'no-enable-barrier']),
    ],
  },
  {
    who: 'Catalin Marinas, on v5',
    says: 'a barrier is needed before the free: the unlock is only a release',
    ruling:
      'not on AArch64, where the branch on the key orders the free (without it: use after free); LKMM needs one, says herd7',
    checks: [
      arm64('v5', 'safe', {}, ['flag']),
      arm64('v6', 'safe', {}, ['jump-label']),
      arm64('v5', 'bug', {}, ['flag', 'no-branch']),
    ],
  },
  {
    who: 'Lorenzo Stoakes, July 2026',
    says: 'a trylock around free and set is enough; the arm64 lock inside it must go',
    ruling: 'right: nested in it, v6 deadlocks as soon as a writer queues',
    checks: [
      pmd('trylock', 'safe', { readers: 2, freers: 2 }),
      pmd('trylock-v6-nested', 'bug'),
      pmd('lock-v6-nested', 'bug'),
    ],
  },
];

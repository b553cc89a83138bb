import { expect, test } from 'vitest';
import { type Granule, geometry } from '../../src/linux/arm64/geometry.js';
import type { Call, Workload } from '../../src/linux/lib/workload.js';
import type { Step } from '../../src/linux/step.js';
import { machine, runKernel } from './machines.js';

/** Leave tables in the low slots, then map blocks (PMD, and PUD where there are any) over them, and unmap these. */
function* overwrites(page_bytes: number, block_pages: number, giant: boolean): Workload {
  const block = page_bytes * block_pages;
  const small: number[] = [];
  for (let i = 0; i < 3; i++)
    small.push(yield { op: 'vmalloc', size_bytes: Math.min(block, 2 ** 24) });
  for (const page of small) yield { op: 'vfree', page };
  yield { op: 'vm_unmap_aliases' };
  const calls: Call[] = [{ op: 'vmalloc_huge', size_bytes: block }];
  if (giant) calls.push({ op: 'ioremap', phys_bytes: 2 ** 34, size_bytes: 2 ** 30 });
  for (const call of calls) {
    const page: number = yield call;
    expect(page).toBeGreaterThan(0);
    yield { op: 'vfree', page };
    yield { op: 'vm_unmap_aliases' };
  }
}

function stepsOn(granule: Granule, bits: number) {
  const g = geometry(granule, bits);
  const work = overwrites(g.pageSize_bytes, g.pmd_pages, g.pudBlock);
  const { vm, sys, steps } = runKernel(machine({ geometry: g, image_pages: 0 }), work);
  const inTop = (on: number) => on >= vm.top && on < vm.top + g.topEntries;
  return { steps, inTop, lock: sys.named.get('swapper_pgdir_lock') };
}

/** What a step is, for comparison in order. */
const name = (s: Step): string =>
  s.op === 'fence' || s.op === 'tlbi' ? `${s.op} ${s.mode}` : `${s.op} ${s.by}`;

/** Types of the values written to each entry of the top table: 3 table, 1 block, 0 none. */
function topValues(steps: readonly Step[], inTop: (on: number) => boolean): number[][] {
  const written = new Map<number, number[]>();
  for (const s of steps)
    if (s.op === 'write' && inTop(s.on))
      written.set(s.on, [...(written.get(s.on) ?? []), s.value % 4]);
  return [...written.values()];
}

test.each([
  ['64K', 42],
  ['4K', 39],
  ['16K', 36],
  ['16K', 47],
] as const)('%s/%i: every write to the top table goes through the fixmap', (granule, bits) => {
  const { steps, inTop, lock } = stepsOn(granule, bits);
  const writes = steps.flatMap((s, i) => (s.op === 'write' && inTop(s.on) ? [i] : []));
  expect(writes.length).toBeGreaterThan(0);
  for (const i of writes) {
    expect(steps[i - 3]).toMatchObject({ op: 'lock', kind: 'spinlock', on: lock });
    expect(steps.slice(i - 3, i + 6).map(name)).toEqual([
      'lock spin_lock',
      'fence dsb ishst',
      'fence isb',
      'write set_swapper_pgd',
      'fence dsb ishst',
      'tlbi vaale1is',
      'fence dsb ish',
      'fence isb',
      'unlock spin_unlock',
    ]);
  }
});

test('64K/42: a PMD entry is set, cleared for the block, set to it, cleared again', () => {
  const { steps, inTop } = stepsOn('64K', 42);
  expect(topValues(steps, inTop)).toContainEqual([3, 0, 1, 0]);
});

test('4K/39: PUD entries are in the top table, PMD entries are not', () => {
  const { steps, inTop } = stepsOn('4K', 39);
  expect(topValues(steps, inTop)).toContainEqual([3, 0, 1, 0]);
  const by = (top: boolean) =>
    new Set(steps.flatMap((s) => (s.op === 'write' && inTop(s.on) === top ? [s.by] : [])));
  expect([...by(true)]).toEqual(['set_swapper_pgd']);
  expect(by(false)).toEqual(new Set(['set_pmd', 'pmd_clear']));
});

test('4K/48: neither PMD nor PUD is folded', () => {
  const { steps, lock } = stepsOn('4K', 48);
  expect(lock).toBeUndefined();
  expect(steps.some((s) => s.by === 'set_swapper_pgd')).toBe(false);
});

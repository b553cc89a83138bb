import { readFileSync } from 'node:fs';
import { runAlone } from '../engines/run.js';
import { type DumpLine, readPageTables } from '../importers/page-tables.js';
import { readVmallocInfo } from '../importers/vmallocinfo.js';
import { newArea } from '../linux/mm/areas.js';
import { reserve } from '../linux/mm/free-areas.js';
import type { VmallocState } from '../linux/mm/vmalloc-state.js';
import { vmap_range_noflush, vunmap_range_noflush } from '../linux/mm/vmap.js';
import { addLazy } from '../linux/mm/vmap-nodes.js';
import { task } from '../linux/system.js';
import { type Options, UserError } from './command.js';

/** Read and parse a file of a real machine. */
function readAs<T>(path: string, parse: (text: string) => T): T {
  try {
    return parse(readFileSync(path, 'utf8'));
  } catch (e) {
    throw new UserError(`${path}: ${(e as Error).message}`);
  }
}

const SMALL = { prot: 0, maxShift: 0, cpu: 0 };

/** Map and unmap a page, so that its PTE table is there. */
function* touch(vm: VmallocState, page: number) {
  yield* vmap_range_noflush(vm, page, 1, 0, SMALL);
  yield* vunmap_range_noflush(vm, page, 1);
}

/** First pages of the PMD entries of the vmalloc range below which the dump shows a PTE table. */
function slotsWithTables(vm: VmallocState, lines: readonly DumpLine[]): Set<number> {
  const { pmd_pages: block, pageShift } = vm.geometry;
  const slots = new Set<number>();
  for (const line of lines) {
    if (line.kind !== 'range' || line.level !== 'PTE') continue;
    const start = Number(line.start >> BigInt(pageShift));
    const end = Number(line.end >> BigInt(pageShift));
    if (end <= vm.space.vstart || start >= vm.space.vend) continue;
    for (let at = Math.floor(start / block) * block; at < end; at += block) slots.add(at);
  }
  return slots;
}

/**
 * Let the model start from a real machine: areas of its /proc/vmallocinfo (busy, or lazily free), PTE
 * tables of its kernel_page_tables, left behind or in use. Without a dump, every busy area is taken
 * to be mapped by pages.
 */
export function startFrom(vm: VmallocState, options: Options): void {
  const info = options['fromVmallocinfo'] as string | undefined;
  const dump = options['fromPageTables'] as string | undefined;
  const slots =
    dump === undefined ? new Set<number>() : slotsWithTables(vm, readAs(dump, readPageTables));
  const { pmd_pages: block, pageShift } = vm.geometry;
  for (const area of info === undefined ? [] : readAs(info, readVmallocInfo)) {
    const start = Number(area.start >> BigInt(pageShift));
    const end = Number(area.end >> BigInt(pageShift));
    if (!reserve(vm.space.free, start, end - start))
      throw new UserError(`${info}: 0x${area.start.toString(16)} overlaps another area`);
    const id = newArea(vm.space.areas, start, end);
    if (area.kind === 'unpurged') addLazy(vm.space, id);
    else vm.space.busy.set(start, id);
    if (dump === undefined && area.kind !== 'unpurged')
      for (let at = Math.floor(start / block) * block; at < end - 1; at += block) slots.add(at);
  }
  const boot = task(vm.sys, 'boot', 0, function* () {});
  for (const page of slots) runAlone(vm.sys, boot, touch(vm, page));
}

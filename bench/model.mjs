#!/usr/bin/env node
// Modelled vmalloc + vfree pairs per second on one core, beside a toy that only keeps a Map of areas, and beside a real
// kernel: fix_size_alloc_test with 4 pages took 955 ns a pair on a 256-CPU server. node bench/model.mjs [pairs]
import { geometry } from '../dist/linux/arm64/geometry.js';
import { bootMachine } from '../dist/linux/mm/machine.js';
import { vfree, vmalloc, vmalloc_huge } from '../dist/linux/mm/vmalloc-fast.js';

const REAL_NS = 955;
const PAIRS = Number(process.argv[2] ?? 400_000);

/** First fit over nothing: an address counter and a Map; what a model costs at least. */
function toy() {
  const areas = new Map();
  let next = 4503565268159213;
  return {
    alloc(pages) {
      const at = next;
      next += pages + 1;
      areas.set(at, pages);
      return at;
    },
    free: (at) => areas.delete(at),
  };
}

/** CPU time, so that other work on the machine does not count. */
function nsPerPair(pairs, alloc, free) {
  for (let i = 0; i < pairs / 4; i++) free(alloc());
  const began = process.cpuUsage();
  for (let i = 0; i < pairs; i++) free(alloc());
  const { user, system } = process.cpuUsage(began);
  return ((user + system) * 1000) / pairs;
}

const row = (cells) =>
  console.log(cells.map((c, i) => String(c)[i ? 'padStart' : 'padEnd'](i ? 12 : 18)).join(''));

function compare(cpus, pages, huge) {
  const pairs = pages > 50 ? PAIRS / 8 : PAIRS;
  const v = bootMachine({ geometry: geometry(), cpus, image_pages: 2785 });
  const bytes = pages * 4096;
  const make = huge ? () => vmalloc_huge(v, bytes, 0) : () => vmalloc(v, bytes, 0);
  const model = nsPerPair(pairs, make, (at) => vfree(v, at));
  const t = toy();
  const bare = nsPerPair(pairs, () => t.alloc(pages), t.free);
  row([
    `${pages} pages${huge ? ' huge' : ''}, ${cpus} CPU${cpus > 1 ? 's' : ''}`,
    (1e3 / model).toFixed(2),
    model.toFixed(0),
    `${(model / bare).toFixed(1)} x`,
    pages === 4 ? `${(REAL_NS / model).toFixed(2)} x` : '-',
    v.space.areas.high - 1,
  ]);
}

row(['workload', 'M pairs/s', 'ns/pair', 'to the toy', 'real/model', 'most areas']);
for (const cpus of [1, 2])
  for (const pages of [1, 4, 100, 512]) compare(cpus, pages, pages === 512);

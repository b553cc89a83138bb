// What came before a workload, taken from a real trace, leaves vmalloc's address space as the real kernel left it.
import { expect, test } from 'vitest';
import { opList } from '../../src/analyses/op-list.js';
import { eventTable } from '../../src/commands/notebook-tables.js';
import { runAlone } from '../../src/engines/run.js';
import { openTrace } from '../../src/importers/open.js';
import { eras } from '../../src/linux/eras.js';
import { runOps } from '../../src/linux/lib/op-list.js';
import { vmallocOn } from '../../src/linux/mm/vmalloc-state.js';
import { newSystem, task } from '../../src/linux/system.js';
import { schemes } from '../../src/schemes/index.js';
import { sample } from '../traces.js';

test.each(['A-e10s', 'A-x2b', 'B2-x2b-2readers', 'D-x2b-1reader'])('%s: every address before the workload', async (name) => {
  const trace = await openTrace(sample(name));
  const list = opList(trace);
  const real = (eventTable(trace, 'alloc_vmap_area').objects() as { va: bigint }[]).map((r) => r.va);
  const sys = newSystem(schemes.none, [], { grows: true });
  const { geometry, cpus, image_pages } = list;
  const vm = vmallocOn(sys, { geometry, cpus, image_pages, era: eras['6.12'] });
  const boot = task(sys, 'boot', 0, function* () {});
  const got: bigint[] = [];
  runAlone(sys, boot, runOps(vm, list.before, new Map(), false), (_, step) => {
    if (step.op === 'trace' && step.what === 'alloc_vmap_area') got.push(BigInt(step.fields['va']!));
  });
  expect(got.length).toBeGreaterThan(80);
  expect(got).toEqual(real.slice(0, got.length));
}); // biome-ignore format: one chain

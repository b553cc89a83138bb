import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import type * as predicting from '../../src/analyses/prediction.js';
import { predict } from '../../src/analyses/prediction.js';
import { type Mutant, mutated } from '../mutants.js';
import { readFtrace, sample } from '../traces.js';

const nodes = 'linux/mm/vmap-nodes.ts';
const search = 'linux/mm/free-areas.ts';
const range = 'linux/mm/vmap-range.ts';

/** Errors a model of vmalloc could have; each must be seen in the comparison with a real kernel. */
const mutants: Mutant[] = [
  {
    name: 'no guard page',
    file: 'linux/mm/vmalloc-size.ts',
    from: 'pages + ((flags & VM_NO_GUARD) === 0 ? 1 : 0)',
    to: 'pages',
  },
  {
    name: 'pools first in, first out',
    file: nodes,
    from: 'for (let i = 0; i < list.length; i++) {\n    const va = list[i]!;\n    v.lazy_nr',
    to: 'for (let i = list.length - 1; i >= 0; i--) {\n    const va = list[i]!;\n    v.lazy_nr',
  },
  {
    name: 'short pools are not drained',
    file: nodes,
    from: 'if (n === 0 && v.drainShortPools) n = vn.len[i]!;',
    to: '',
  },
  {
    name: 'naive alignment: first range in which the aligned area fits',
    file: search,
    from: 'adjust ? size + align - 0.5 : size',
    to: 'size',
  },
  {
    name: 'alignment ignored by the search',
    file: search,
    from: 'const at = align > 1 ? Math.ceil(from / align) * align : from;',
    to: 'const at = from;',
  },
  {
    name: 'a split keeps the left remainder in its place of the tree',
    file: search,
    from: 'const rest = newArea(a, from, at);\n    f.areas.start[n] = at + size;\n    augment_tree_propagate_from(a, n);\n    link(f, rest, n);',
    to: 'const rest = newArea(a, at + size, to);\n    f.areas.end[n] = at;\n    augment_tree_propagate_from(a, n);\n    link(f, rest, f.areas.next[n]);',
  },
  {
    name: 'purged areas come back in ascending order',
    file: nodes,
    from: 'reclaim_list_global(v, back.reverse());',
    to: 'reclaim_list_global(v, back);',
  },
  {
    name: 'tables are freed by vunmap',
    file: range,
    from: 't.cells.fill(0, first, first + (next - page));',
    to: 't.cells.fill(0, first, first + (next - page)); freeTable(t, t.lastTable); t.cells[place] = 0;',
  },
  {
    name: 'a block leaves a table behind',
    file: range,
    from: '      t.cells[place] = 0;\n      if (height === 2) t.counts.huge_cleared_pud++;',
    to: '      t.cells[place] = tableEntry(allocTable(t, 0, page));\n      if (height === 2) t.counts.huge_cleared_pud++;',
  },
];

/** No change of behaviour: shows that a copy as such is not what is caught. */
const control: Mutant = {
  name: 'control',
  file: nodes,
  from: 'export const MAX_VMAP_NODES = 128;',
  to: 'export const MAX_VMAP_NODES = 64 * 2;',
};

const traceOf = (name: string) => readFtrace(gunzipSync(readFileSync(sample(name))));

test('every mutant of the model is caught by the comparison with real kernels', async () => {
  const runs = await Promise.all(['A-e10s', 'A-t32', 'A-x2b'].map(traceOf));
  const holds = (p: predicting.Prediction) => p.equal && p.requests.exact === p.requests.total;
  for (const run of runs) expect(holds(predict(run))).toBe(true);
  const alive: string[] = [];
  for (const mutant of [control, ...mutants]) {
    const copy = mutated(mutant);
    try {
      const m: typeof predicting = await copy.module('analyses/prediction.js');
      const survives = runs.every((run) => {
        try {
          return holds(m.predict(run));
        } catch {
          return false; // a double free, an address mapped twice: caught too
        }
      });
      if (survives) alive.push(mutant.name);
    } finally {
      copy.done();
    }
  }
  expect(alive).toEqual(['control']);
});

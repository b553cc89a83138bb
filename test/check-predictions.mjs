#!/usr/bin/env node
// Replays every run of a folder through the model of vmalloc: node test/check-predictions.mjs FOLDER
// [trace file name]. One line a run; exit status 1 if a run on one CPU is not exact, or a table count
// differs anywhere.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { openTrace, predict } from '../dist/index.js';

const [folder, file = 'trace.txt.gz'] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node test/check-predictions.mjs FOLDER [trace file name]');
  process.exit(2);
}

/** Counts equal, or not told by the trace. */
const sameTables = ({ predicted, observed, because }) =>
  observed === null ||
  Object.keys(observed).every(
    (k) => predicted[k] === observed[k] || because.some((b) => b.startsWith(`${k}: not compared`)),
  );

let failed = 0;
let addresses = 0;
let exact = 0;
for (const name of readdirSync(folder).sort()) {
  const path = join(folder, name, file);
  if (!existsSync(path)) continue;
  let trace;
  try {
    trace = await openTrace(path);
  } catch (e) {
    console.log(`${name}: not read: ${e.message.slice(0, 90)}`);
    continue;
  }
  const { allocations: a, purges, tables, misses, equal } = predict(trace);
  const count = tables.observed ? (sameTables(tables) ? 'equal' : 'DIFFER') : 'not probed';
  console.log(
    `${name}: addresses ${a.exact}/${a.total} (${a.reordered} reordered), ` +
      `purges ${purges.exact}/${purges.total}, tables ${count}`,
  );
  for (const m of misses.slice(0, 3))
    console.log(`    event ${m.n}: ${m.predicted}, real ${m.real}: ${m.because}`);
  if (count === 'DIFFER') for (const b of tables.because) console.log(`    ${b}`);
  addresses += a.total;
  exact += a.exact;
  if ((trace.meta.cpus === 1 && !equal) || count === 'DIFFER') failed++;
}
console.log(`${exact}/${addresses} addresses exact, ${failed} runs failed`);
process.exit(failed > 0 ? 1 : 0);

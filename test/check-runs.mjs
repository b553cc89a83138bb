#!/usr/bin/env node
// Holds ptlab against a folder of recorded runs, each with trace.txt.gz and a truth.json counted by
// another program: node test/check-runs.mjs FOLDER [trace file name]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { infoOf, openTrace, overwrites } from '../dist/index.js';

const [folder, file = 'trace.txt.gz'] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node test/check-runs.mjs FOLDER [trace file name]');
  process.exit(2);
}

const figures = [
  'pte_tables_allocated', 'pte_tables_freed', 'pmd_tables_freed', 'huge_set_pmd', 'huge_set_pud',
  'huge_cleared_pmd', 'huge_cleared_pud',
]; // biome-ignore format: a table

/** Every difference between what ptlab says of a run and its truth. */
export async function differences(run, truth) {
  const trace = await openTrace(run);
  const info = infoOf(trace);
  const found = [];
  const same = (what, got, want) => {
    if (JSON.stringify(got) !== JSON.stringify(want)) found.push(`${what}: ${got}, truth ${want}`);
  };
  const sorted = (o) => Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1));
  same('events', info.events, truth.lines);
  same('per_event', sorted(info.per_event), sorted(truth.per_event));
  same('per_cpu', sorted(info.per_cpu), sorted(truth.per_cpu));
  same('first_us', Math.floor(info.first_ns / 1000), truth.first_us);
  same('last_us', Math.floor(info.last_ns / 1000), truth.last_us);
  same('unparsed', info.unparsed.lines, 0);
  same('lost', info.lost, 0);
  const a = overwrites(trace);
  for (const [name, want] of Object.entries(truth.phases)) {
    const got = a.phases[name];
    same(`${name}.allocations`, got?.allocations, want.allocations ?? 0);
    for (const f of figures) same(`${name}.${f}`, got?.observed?.[f], want[f] ?? 0);
  }
  const { predicted: p, observed: o } = a;
  const freed = o?.pte_tables_freed ?? 0;
  const line = `predicted ${p.overwrites} observed ${freed} lost ${p.lost_to_trylock}`;
  if (p.overwrites !== freed + p.lost_to_trylock) found.push(`DIFFERS ${line}`);
  return { found, line };
}

let wrong = 0;
for (const name of readdirSync(folder).sort()) {
  const run = join(folder, name, file);
  const truthFile = join(folder, name, 'truth.json');
  if (!existsSync(run) || !existsSync(truthFile)) continue;
  const truth = JSON.parse(readFileSync(truthFile, 'utf8'));
  if (truth.lines === 0) {
    console.log(`${name}: no counts in its truth`);
    continue;
  }
  const { found, line } = await differences(run, truth).catch((e) => ({
    found: [e.message],
    line: 'not read',
  }));
  console.log(`${name}: ${found.length === 0 ? 'equal' : 'DIFFERENT'}; ${line}`);
  for (const f of found) console.log(`  ${f}`);
  wrong += found.length;
}
process.exitCode = wrong === 0 ? 0 : 1;

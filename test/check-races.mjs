#!/usr/bin/env node
// Holds `race-windows` against a folder of recorded runs, each with a trace and a truth.json counted by
// another program: node test/check-races.mjs FOLDER [trace file name]
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openTrace, raceWindows } from '../dist/index.js';

const [folder, file = 'trace.txt.gz'] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node test/check-races.mjs FOLDER [trace file name]');
  process.exit(2);
}

/** Every figure of `truth` that `got` has otherwise, by its path. */
function differences(got, truth, path = '') {
  if (truth === null || typeof truth !== 'object') {
    return got === truth ? [] : [`${path}: ${JSON.stringify(got)}, truth ${JSON.stringify(truth)}`];
  }
  return Object.entries(truth).flatMap(([k, v]) => differences(got?.[k], v, `${path}.${k}`));
}

let wrong = 0;
let runs = 0;
for (const name of readdirSync(folder).sort()) {
  const truthFile = join(folder, name, 'truth.json');
  const run = join(folder, name, file);
  if (!existsSync(truthFile) || !existsSync(run)) continue;
  const truth = JSON.parse(readFileSync(truthFile, 'utf8')).race_windows;
  if (!truth) continue;
  const found = differences(raceWindows(await openTrace(run)), truth);
  console.log(`${name}: ${found.length === 0 ? 'equal' : 'DIFFERENT'}`);
  for (const f of found) console.log(`  ${f}`);
  runs++;
  wrong += found.length;
}
console.log(`${runs} runs, ${wrong} figures differ`);
process.exitCode = wrong === 0 && runs > 0 ? 0 : 1;

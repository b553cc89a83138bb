#!/usr/bin/env node
// Holds `ptlab litmus` against herd7 on folders of AArch64 tests: node scripts/check-litmus.mjs FOLDER ...
// A folder has NAME.litmus files and a verdicts.json: {tests: [{name, quantifier, verdict, observation, states}]} with
// herd7's final states, or {name: observation}. Under arm64 all that is told must be equal; what sc and tso show must be
// among what arm64 shows. The time is that of arm64, reading included.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLitmus } from '../dist/litmus/parse.js';
import { runLitmus } from '../dist/litmus/run.js';

const folders = process.argv.slice(2);
if (folders.length === 0) {
  console.error('usage: node scripts/check-litmus.mjs FOLDER ...');
  process.exit(2);
}

/** What herd7 said, by name of the test. */
function truths(folder) {
  const said = JSON.parse(readFileSync(join(folder, 'verdicts.json'), 'utf8'));
  const list = said.tests ?? Object.entries(said).map(([name, observation]) => ({ name, observation })); // biome-ignore format: one line
  return new Map(list.map((t) => [t.name, t]));
}

const isAnswer = (truth) => /^(Always|Sometimes|Never)$/.test(truth?.observation);

/** What differs, in words. */
function differences(test, result, truth) {
  if (!truth) return ['verdicts.json does not know it'];
  const answered = isAnswer(truth);
  const told = ['quantifier', 'verdict', 'observation', 'states'].filter((k) => truth[k] !== undefined && answered); // biome-ignore format: one line
  const wrong = told
    .filter((k) => JSON.stringify(result[k]) !== JSON.stringify(truth[k]))
    .map((k) => `${k} ${JSON.stringify(result[k])}, herd7 ${JSON.stringify(truth[k])}`);
  const weak = new Set(result.states);
  for (const model of ['sc', 'tso'])
    for (const state of runLitmus(test, model).states)
      if (!weak.has(state)) wrong.push(`${model} allows ${state}`);
  return wrong;
}

let failed = 0;
for (const folder of folders) {
  const known = truths(folder);
  const files = readdirSync(folder).filter((f) => f.endsWith('.litmus'));
  let ms = 0;
  let bad = 0;
  let open = 0;
  for (const file of files) {
    const name = file.slice(0, -'.litmus'.length);
    const began = performance.now();
    try {
      const test = parseLitmus(file, readFileSync(join(folder, file), 'utf8'));
      const result = runLitmus(test, 'arm64');
      ms += performance.now() - began;
      const wrong = differences(test, result, known.get(name));
      for (const text of wrong) console.log(`${name}: ${text}`);
      if (wrong.length > 0) bad++;
      else if (!isAnswer(known.get(name))) open++;
    } catch (e) {
      bad++;
      console.log(`${name}: ${e.message}`);
    }
  }
  const equal = files.length - bad - open;
  console.log(`${folder}: ${files.length} tests, ${equal} equal, ${bad} not, ${open} without an answer of herd7, ${ms.toFixed(0)} ms`); // biome-ignore format: one line
  failed += bad;
}
process.exitCode = failed > 0 ? 1 : 0;

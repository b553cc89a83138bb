// CPU time of `litmus` over a folder of AArch64 tests, under each memory model, against a peer named on the command line.
//   node bench/litmus.mjs FOLDER [PEER]     e.g.  node bench/litmus.mjs tests herd7
// The peer is run once per file with the file as its argument; without one (herd7 is not in Debian) the slow axiomatic
// way is not timed and the ratio is that of the promising search to plain interleaving.
import { spawnSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseLitmus } from '../dist/litmus/parse.js';
import { runLitmus } from '../dist/litmus/run.js';

const [folder, peer] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node bench/litmus.mjs FOLDER [PEER]');
  process.exit(1);
}
const files = readdirSync(folder).filter((f) => f.endsWith('.litmus'));
const texts = files.map((f) => [f, readFileSync(join(folder, f), 'utf8')]);
/** CPU time of this process, user and system. */
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};
const time = (clock, act) => {
  const began = clock();
  act();
  return clock() - began;
};
const ms = {};
for (const model of ['sc', 'tso', 'arm64']) {
  let states = 0;
  ms[model] = time(cpuMs, () => {
    for (const [f, text] of texts) states += runLitmus(parseLitmus(f, text), model).nstates;
  });
  console.log(
    `${model.padEnd(6)} ${files.length} tests  ${states} states  ${ms[model].toFixed(0)} ms CPU`,
  );
}
if (peer) {
  const theirs = time(
    () => performance.now(),
    () => {
      for (const f of files) spawnSync(peer, [join(folder, f)]);
    },
  );
  console.log(`${peer}  ${theirs.toFixed(0)} ms wall  ratio ${(theirs / ms.arm64).toFixed(1)}`);
} else console.log(`arm64 / sc  ratio ${(ms.arm64 / ms.sc).toFixed(2)}`);

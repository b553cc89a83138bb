// Time to verdict, row by row, against SPIN (Debian: apt-get install spin gcc) on bench/explore.pml, a Promela model of
// the same schemes. SPIN's time is the whole of spin -a, gcc -O2 and ./pan (safety, partial-order reduction); ptlab's is
// one call in a process that has explored before, and once the whole of `ptlab explore` with its start.
//   node bench/explore.mjs [row ...]
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { explore, rows, scenarios, schemes } from '../dist/index.js';

const here = dirname(fileURLToPath(import.meta.url));
const late = (key, ...more) => ['-DLOCK=3', `-DKEY=${key}`, '-DSAMPLE=1', ...more];
const jl = (ipi, isb) => ['-DJL=1', ...(ipi ? ['-DIPI=1'] : []), ...(isb ? ['-DISB=1'] : [])];
const two = '-DNR=2';
const both = [two, '-DNF=2'];
const flags = {
  S0: ['-DLOCK=0'],
  S1: ['-DLOCK=1'],
  S1b: ['-DLOCK=2'],
  S2: late(1),
  'S2 2r': late(1, two),
  S3: ['-DKEY=1'],
  S4a: ['-DPCPU=1'],
  S4b: ['-DPCPU=2'],
  S5a: ['-DKEY=1', '-DRCU=1'],
  'S5a 2r': ['-DKEY=1', '-DRCU=1', two],
  'S5a 2r inc/dec': ['-DKEY=2', '-DRCU=1', two],
  S5b: ['-DKEY=1', '-DRCU=2'],
  S5c: ['-DRCU=3'],
  S6: late(2),
  'S6 2r': late(2, two),
  'S6 jl 2r': late(2, two, ...jl(1, 1)),
  S7a: late(1, ...jl(1, 1)),
  'S7a 2r': late(1, two, ...jl(1, 1)),
  S7b: late(2, ...jl(0, 1)),
  S7c: late(2, ...jl(0, 0)),
  S7d: late(2, ...jl(1, 0)),
  'S6 2f': late(2, '-DNF=2'),
  'S2 2f': late(1, '-DNF=2'),
  'S0 2f': ['-DLOCK=0', '-DNF=2'],
  'S6 2x2': late(2, ...both),
  'S6 jl 2x2': late(2, ...both, ...jl(1, 1)),
  S8: ['-DLOCK=4'],
  'S8 2x2': ['-DLOCK=4', ...both],
  'S8x unfair': ['-DLOCK=5', '-DKEY=2', '-DSAMPLE=1', '-DFAIR=0'],
  S8x: ['-DLOCK=5', '-DKEY=2', '-DSAMPLE=1'],
  S8y: ['-DLOCK=6', '-DKEY=2', '-DSAMPLE=1'],
  S9: late(2, '-DOTHER=1'),
  P0: ['-DM=4', '-DISO=1'],
  P6: ['-DM=4', '-DISO=1', ...late(2)],
  P6x: ['-DM=4', ...late(2)],
};

function timed(act) {
  const began = performance.now();
  const value = act();
  return { value, ms: performance.now() - began };
}

/** SPIN's verdict, states, and times, made in a folder of its own. */
function spin(defines, repeat) {
  const cwd = mkdtempSync(join(tmpdir(), 'ptlab-spin-'));
  const call = (command, args) => spawnSync(command, args, { cwd, encoding: 'utf8' });
  try {
    const made = timed(() => {
      call('spin', ['-a', ...defines, join(here, 'explore.pml')]);
      return call('gcc', ['-O2', '-w', '-DSAFETY', '-o', 'pan', 'pan.c']);
    });
    if (made.value.status !== 0) throw new Error(made.value.stderr);
    const pan = timed(() => call(join(cwd, 'pan'), ['-m1000000']).stdout);
    const again = repeat ? [1, 2].map(() => call(join(cwd, 'pan'), ['-m1000000']).stdout) : [];
    const number = (what) => Number(new RegExp(`(\\d+) ${what}`).exec(pan.value)?.[1]);
    const bug = /errors: [1-9]/.test(pan.value);
    const rates = [pan.value, ...again].map((t) =>
      Number(/rate ([\d.]+) states/.exec(t)?.[1] ?? 0),
    );
    const own = Math.max(...rates) / 1000;
    return { bug, states: number('states, stored'), ms: made.ms + pan.ms, pan: pan.ms, rate: own };
  } finally {
    rmSync(cwd, { recursive: true });
  }
}

const verdictOf = ({ scenario, scheme, sizes, variant }) =>
  explore(scenarios[scenario], schemes[scheme], { sizes, variant });

if (spawnSync('spin', ['-V']).status === null) {
  console.error('bench/explore needs spin and gcc: apt-get install spin gcc');
  process.exit(2);
}
const only = process.argv.slice(2);
const chosen = rows.filter((r) => flags[r.id] && (only.length === 0 || only.includes(r.id)));
const pad = (text, n) => String(text).padStart(n);
console.log(
  `row            verdict   spin+gcc+pan ms   pan ms  ptlab ms   ratio  states spin  ptlab`,
);
let total = 0;
let slower = 0;
let differ = 0;
let rates;
for (const row of chosen) {
  const largest = row.id === 'S6 jl 2x2';
  const peer = spin(flags[row.id], largest);
  const ours = timed(() => verdictOf(row));
  const v = ours.value;
  total += ours.ms;
  if (ours.ms > peer.ms) slower++;
  const same = peer.bug === (v.verdict === 'bug');
  if (!same) differ++;
  if (largest) {
    const best = Math.min(ours.ms, ...[1, 2].map(() => timed(() => verdictOf(row)).ms));
    rates = [peer.rate, v.states / best];
  }
  console.log(
    `${row.id.padEnd(14)} ${(v.verdict + (same ? '' : ' (!)')).padEnd(8)} ${pad(peer.ms.toFixed(0), 16)} ${pad(peer.pan.toFixed(1), 8)} ${pad(ours.ms.toFixed(1), 9)} ${pad(`${(peer.ms / ours.ms).toFixed(0)}x`, 7)} ${pad(peer.states, 12)} ${pad(v.states, 6)}`,
  );
}
console.log(
  `\n${chosen.length} rows: ${total.toFixed(0)} ms in ptlab; slower than SPIN on ${slower}; verdicts that differ: ${differ}`,
);
if (rates)
  console.log(
    `largest row (S6 jl 2x2), best of 3 runs each: pan (by its own clock) ${rates[0].toFixed(0)} states/ms, ptlab ${rates[1].toFixed(0)}: SPIN is ${(rates[0] / rates[1]).toFixed(1)} times as fast`,
  );
const cli = timed(() =>
  execFileSync(process.execPath, [
    join(here, '..', 'dist', 'cli.js'),
    'explore',
    'pmd-free',
    '--json',
  ]),
);
console.log(`the whole of 'ptlab explore pmd-free' with its start: ${cli.ms.toFixed(0)} ms`);
for (const scheme of ['v6', 'none', 'v1']) {
  const big = timed(() => explore(scenarios['pud-free'], schemes[scheme], { sizes: { entries: 512 } })); // biome-ignore format: one line
  const { verdict, states } = big.value;
  console.log(`pud-free ${scheme}, 512 entries: ${verdict}, ${states} states, ${big.ms.toFixed(0)} ms, ${(process.memoryUsage().rss / 2 ** 20).toFixed(0)} MB resident`); // biome-ignore format: one line
}

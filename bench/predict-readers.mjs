#!/usr/bin/env node
// Calibrate from one real run, simulate the same workload with the readers of another, and print both side by side:
//   node bench/predict-readers.mjs FROM TO [seeds]
// FROM and TO are folders with trace.txt.gz, truth.json (smp, module vmix, args) and vmallocinfo.boot.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { segmentsOf } from '../dist/analyses/segments.js';
import { machineOf } from '../dist/commands/machine-options.js';
import { runTimed } from '../dist/commands/simulate-timed.js';
import { startFrom } from '../dist/commands/start-from.js';
import { fitProfile } from '../dist/engines/cost-fit.js';
import { memoryWriter } from '../dist/events/file.js';
import { openTrace, raceWindows } from '../dist/index.js';
import { pattern, readPattern } from '../dist/linux/lib/vmix.js';

const [from, to, seeds = '5'] = process.argv.slice(2);
if (!from || !to) {
  console.error('usage: node bench/predict-readers.mjs FROM TO [seeds]');
  process.exit(2);
}
const truthOf = (run) => JSON.parse(readFileSync(join(run, 'truth.json'), 'utf8'));
const truth = truthOf(to);
const args = Object.fromEntries(truth.args.split(' ').map((a) => a.split('=')));
if (!args.ops) throw new Error(`${to}: not a vmix run with ops=: ${truth.args}`);
const scheme = { B: 'v3', B2: 'v3', C: 'none', D: 'trylock' }[truth.kernel];
const readers = Number(/(\d+)readers?/.exec(truth.name)?.[1] ?? 1);

const m = segmentsOf(await openTrace(join(from, 'trace.txt.gz')));
const { profile } = fitProfile(from, from, 250, m);
const file = join(mkdtempSync(join(tmpdir(), 'ptlab-')), 'profile.json');
writeFileSync(file, JSON.stringify(profile));

/** The figures that matter, of an analysis of race windows. */
const figures = (r) => ({
  'read wait p50 us': r.read_lock.wait_us.p50,
  'read wait p90 us': r.read_lock.wait_us.p90,
  'frees in walk, share': r.frees.in_walk / r.frees.total,
  'no lock in walk, share': r.frees.in_walk_unlocked / r.frees.total,
  'huge lost, share': r.read_lock.trylock_failed / (r.read_lock.trylock_failed + r.frees.total),
  'write hold p50 us': r.write_lock.hold_us.p50,
  'write wait p90 us': r.write_lock.wait_us.p90,
  'walks per overwrite': r.walks / (r.read_lock.trylock_failed + r.frees.total),
});

const workload = (trace) => figures(raceWindows(trace));
const runs = [];
for (let seed = 1; seed <= Number(seeds); seed++) {
  const options = {
    scheme,
    readers,
    profile: file,
    rest: 0,
    seed,
    cpus: truth.smp,
    kernel: '6.12',
    granule: '4K',
    fragmentation: 0,
    vaBits: 48,
    nodes: 1,
    memory: 2,
    image: 11,
    fromVmallocinfo: join(to, 'vmallocinfo.boot'),
  };
  const work = pattern(readPattern(args.ops), Number(args.loops), 4096);
  const workers = [{ name: 'vmix/0', cpu: 0, work }];
  const { trace } = runTimed(machineOf(options), workers, options, 'vmix', memoryWriter, (vm) =>
    startFrom(vm, options),
  );
  runs.push(workload(trace));
}
const real = workload(await openTrace(join(to, 'trace.txt.gz')));
const source = workload(await openTrace(join(from, 'trace.txt.gz')));
console.log(`calibrated from ${from}`);
console.log(
  `predicted ${truth.name}: ${scheme}, ${readers} readers, ${seeds} seeds (mean, least, most)`,
);
console.log(
  `${'figure'.padEnd(24)}${['source', 'real', 'sim', 'least', 'most', 'off by'].map((t) => t.padStart(10)).join('')}`,
);
const short = (v) =>
  (v === undefined || Number.isNaN(v) ? '-' : String(Number(v.toPrecision(4)))).padStart(10);
for (const name of Object.keys(real)) {
  const values = runs.map((r) => r[name] ?? Number.NaN);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const off = real[name] ? `${((mean / real[name] - 1) * 100).toFixed(0)} %` : '-';
  console.log(
    `${name.padEnd(24)}${short(source[name])}${short(real[name])}${short(mean)}${short(Math.min(...values))}${short(Math.max(...values))}${off.padStart(10)}`,
  );
}

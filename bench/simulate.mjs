#!/usr/bin/env node
// Events per second of the timed engine into Arrow, against a bare loop that writes the same columns into typed arrays, and
// against the same generator steps without logging: node bench/simulate.mjs [loops]
// Two workloads: two tasks that do nothing but take and release init_mm's lock (the engine itself), and the full vmalloc
// model beside a reader of the dump. Times are CPU time, the best of runs that take turns, so that a busy machine tells
// little; the first runs, which V8 has not compiled yet, count for nothing.
import { profiles } from '../dist/engines/cost.js';
import { logSink } from '../dist/engines/sim-log.js';
import { simulate } from '../dist/engines/simulate.js';
import { memoryWriter } from '../dist/events/file.js';
import { newMeta } from '../dist/events/meta.js';
import { eras } from '../dist/linux/eras.js';
import { pattern, readPattern } from '../dist/linux/lib/vmix.js';
import { asKernel } from '../dist/linux/lib/workload.js';
import { mmap_read_lock, mmap_read_unlock } from '../dist/linux/lock.js';
import { resume, running } from '../dist/linux/step/flat.js';
import { lock, newSystem, task } from '../dist/linux/system.js';
import { timedSystem } from '../dist/scenarios/timed.js';
import { schemes } from '../dist/schemes/index.js';

const loops = Number(process.argv[2] ?? 300000);
const silent = { event() {}, lock() {} };
const profile = profiles['mesh-server'];

function locks() {
  const sys = newSystem(schemes.none, ['handoff']);
  const mm = lock(sys, 'init_mm');
  for (let cpu = 0; cpu < 2; cpu++) {
    task(sys, `t${cpu}`, cpu, function* () {
      for (let i = 0; i < loops / 2; i++) {
        yield* mmap_read_lock(mm);
        yield* mmap_read_unlock(mm);
      }
    });
  }
  return sys;
}

function vmix() {
  const ops = readPattern('h512.F.p.s600.F.p');
  const { sys } = timedSystem({
    scheme: schemes.v6,
    era: eras['6.18'],
    cpus: 2,
    readers: 1,
    dump: { rest_entries: 100000, walks_per_read: 3 },
    callers: [
      { name: 'vmix/0', cpu: 0, run: (vm) => asKernel(vm, pattern(ops, loops / 75, 4096), 0) },
    ],
  });
  return sys;
}

/** CPU seconds since. */
function since(began) {
  const { user, system } = process.cpuUsage(began);
  return (user + system) / 1e6;
}

/** Run once; seconds, events, steps. */
function timed(build, logs) {
  const sys = build();
  const meta = newMeta('bench', 'run');
  const writer = memoryWriter(meta);
  const began = process.cpuUsage();
  const r = simulate(sys, {
    profile,
    seed: '1',
    sink: logs ? logSink(writer.log) : silent,
    cpus: 2,
  });
  const trace = writer.finish(meta);
  return {
    s: since(began),
    events: meta.seen,
    steps: r.steps,
    trace,
  };
}

/** The generators alone: the same code resumed with 0, no time, no rules. */
function stepsAlone(build) {
  const sys = build();
  const began = process.cpuUsage();
  let steps = 0;
  for (const t of sys.tasks)
    for (const code = running(t.run(sys)); !resume(code, 0).done; ) steps++;
  return { s: since(began), steps };
}

/** The columns that the events of the lock workload set, written into typed arrays, 64k rows at a time. */
function bareLoop(n) {
  const began = process.cpuUsage();
  const kept = [];
  const rows = 65536;
  for (let at = 0; at < n; at += rows) {
    const u32 = () => new Uint32Array(rows);
    const [seq, event, cpu, pid, comm, mode] = [u32(), u32(), u32(), u32(), u32(), u32()];
    const [ts, mm] = [new Uint32Array(2 * rows), new Uint32Array(2 * rows)];
    const ok = new Uint8Array(rows / 8);
    const valid = Array.from({ length: 6 }, () => new Uint8Array(rows / 8));
    for (let i = 0; i < rows && at + i < n; i++) {
      const t = (at + i) * 17;
      seq[i] = at + i;
      ts[2 * i] = t | 0;
      ts[2 * i + 1] = Math.floor(t / 0x100000000);
      event[i] = i % 3;
      cpu[i] = i & 1;
      pid[i] = 100 + (i & 1);
      comm[i] = i & 1;
      mm[2 * i] = 0x80a14180;
      mm[2 * i + 1] = 0xffff8000;
      mode[i] = 0;
      ok[i >> 3] |= 1 << (i & 7);
      for (const v of valid) v[i >> 3] |= 1 << (i & 7);
    }
    kept.push(seq, event, cpu, pid, comm, mode, ts, mm, ok, valid);
  }
  return { s: since(began), kept: kept.length };
}

/** The best of each of `of`, which take turns `n` times. */
function turns(of, n) {
  const best = of.map(() => ({ s: Number.POSITIVE_INFINITY }));
  for (let k = 0; k < n; k++)
    for (const [i, run] of of.entries()) {
      const got = run();
      if (got.s < best[i].s) best[i] = { ...got, trace: undefined };
    }
  return best;
}
const M = (n, s) => `${(n / s / 1e6).toFixed(2)} M/s`;

const events = timed(locks, true).events;
const [logged, mute, bare, alone] = turns(
  [
    () => timed(locks, true),
    () => timed(locks, false),
    () => bareLoop(events),
    () => stepsAlone(locks),
  ],
  8,
);
console.log(`locks only: ${logged.events} events, ${logged.steps} steps`);
console.log(
  `  into Arrow            ${M(logged.events, logged.s)} events, ${M(logged.steps, logged.s)} steps`,
);
console.log(
  `  bare loop             ${M(logged.events, bare.s)} events; the engine takes ${(logged.s / bare.s).toFixed(1)} times as long`,
);
console.log(
  `  engine, no logging    ${M(mute.steps, mute.s)} steps; logging takes ${(((logged.s - mute.s) / logged.s) * 100).toFixed(0)} % of the time`,
);
console.log(
  `  generators alone      ${M(alone.steps, alone.s)} steps, ${(alone.s / bare.s).toFixed(1)} times the bare loop; the engine takes ${(mute.s / alone.s).toFixed(1)} times as long`,
);
const [full, quiet] = turns([() => timed(vmix, true), () => timed(vmix, false)], 5);
console.log(`vmalloc model: ${full.events} events, ${full.steps} steps`);
console.log(
  `  into Arrow            ${M(full.events, full.s)} events, ${M(full.steps, full.s)} steps`,
);
console.log(`  no logging            ${M(quiet.steps, quiet.s)} steps`);

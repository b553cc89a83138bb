#!/usr/bin/env node
// Holds the importers against traces of other people, counted by other programs:
// node scripts/check-third-party.mjs FOLDER, which has the files and a truth.json.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { infoOf, openTrace } from '../dist/index.js';

const folder = process.argv[2];
if (!folder) {
  console.error('usage: node scripts/check-third-party.mjs FOLDER');
  process.exit(2);
}

const sorted = (o) => JSON.stringify(Object.entries(o).sort(([a], [b]) => (a < b ? -1 : 1)));
const ns = (seconds) => BigInt(seconds.replace('.', '').padEnd(seconds.indexOf('.') + 9, '0'));

/** A print record is tracing_mark_write where it came from user space: one name in the truth. */
function rawNames(perEvent) {
  const { tracing_mark_write: marks = 0, print = 0, ...rest } = perEvent;
  return marks + print > 0 ? { ...rest, print: marks + print } : rest;
}

/** What the truth says, in the terms of `info`. */
function wanted(t) {
  const perKind =
    t.per_event ??
    Object.fromEntries(Object.entries(t.per_kind).map(([k, n]) => [`funcgraph_${k}`, n]));
  const cpus = Object.entries(t.per_cpu ?? t.cpus).map(([c, n]) => [String(Number(c)), n]);
  return {
    events: t.events ?? t.lines ?? t.samples,
    per_event: t.kind === 'trace.dat' ? rawNames(perKind) : perKind,
    per_cpu: Object.fromEntries(cpus),
    first: t.first_ns === undefined ? ns(t.first) : BigInt(t.first_ns),
    last: t.last_ns === undefined ? ns(t.last) : BigInt(t.last_ns),
  };
}

let wrong = 0;
for (const [name, truth] of Object.entries(
  JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')),
)) {
  const want = wanted(truth);
  try {
    const info = infoOf(await openTrace(join(folder, name)));
    const perEvent = truth.kind === 'trace.dat' ? rawNames(info.per_event) : info.per_event;
    const checks = {
      totals: [info.events, want.events],
      'per event': [sorted(perEvent), sorted(want.per_event)],
      'per CPU': [sorted(info.per_cpu), sorted(want.per_cpu)],
      'first stamp': [info.first_ns, Number(want.first)],
      'last stamp': [info.last_ns, Number(want.last)],
      'known lines': [info.unparsed.lines, 0],
    };
    const bad = Object.entries(checks).filter(([, [got, should]]) => got !== should);
    const all = Object.keys(checks).join(', ');
    console.log(`${name} (${info.format}): ${bad.length === 0 ? `equal: ${all}` : 'DIFFERENT'}`);
    for (const [what, [got, should]] of bad) console.log(`  ${what}: ${got}, truth ${should}`);
    wrong += bad.length;
  } catch (e) {
    console.log(`${name}: NOT READ: ${e.message}`);
    wrong++;
  }
}
process.exitCode = wrong === 0 ? 0 : 1;

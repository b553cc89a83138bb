#!/usr/bin/env node
// Events per second and memory of the importers, each in a process of its own, on one core:
//   node bench/import.mjs TRACE.DAT [million events]
// trace.dat: against `trace-cmd report` on the same file. Text: what trace-cmd reports of it, against
// a loop with one regular expression per line over the same file.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const [source, million = '2'] = process.argv.slice(2);
if (!source) {
  console.error('usage: node bench/import.mjs TRACE.DAT (not packed) [million events]');
  process.exit(2);
}

/** Seconds of processor time, megabytes of memory at most, and what it printed. */
function measure(command, args) {
  const r = spawnSync('/usr/bin/time', ['-f', '%U %S %M', command, ...args], {
    encoding: 'utf8',
    maxBuffer: 1 << 30,
    stdio: ['ignore', command === 'trace-cmd' ? 'ignore' : 'pipe', 'pipe'],
  });
  const [user, system, kb] = r.stderr.trim().split('\n').at(-1).split(' ').map(Number);
  return { seconds: user + system, mb: kb / 1024, out: r.stdout ?? '' };
}

const folder = mkdtempSync(join(tmpdir(), 'ptlab-bench-'));
try {
  const [dat, text, arrow] = ['big.dat', 'big.txt', 'big.arrow'].map((n) => join(folder, n));
  const { writeBig } = await import('./big-dat.mjs');
  const once = Number(
    execFileSync('node', [here('./import-one.mjs'), source], { encoding: 'utf8' }).split(' ')[0],
  );
  writeBig(source, dat, Math.max(1, Math.round((Number(million) * 1e6) / once)));
  const peer = measure('trace-cmd', ['report', dat]);
  execFileSync('bash', ['-c', 'trace-cmd report "$1" > "$2" 2>/dev/null', '-', dat, text]);
  const show = (name, m, events, than) => {
    const rate = events / m.seconds / 1e6;
    const ratio = than ? `  ${(than.seconds / m.seconds).toFixed(2)} times the peer` : '';
    console.log(`${name.padEnd(34)} ${rate.toFixed(2)} M events/s  ${m.mb.toFixed(0)} MB${ratio}`);
  };
  const ours = measure('node', [here('./import-one.mjs'), dat]);
  const events = Number(ours.out.split(' ')[0]);
  console.log(`${events} events; processor time of whole processes, user and system`);
  show('trace-cmd report to /dev/null', peer, events);
  // The like of it: every field typed in columns, which nobody keeps.
  show(
    'ptlab, trace.dat, not kept',
    measure('node', [here('./import-one.mjs'), dat, '-']),
    events,
    peer,
  );
  show('ptlab, trace.dat, in memory', ours, events, peer);
  show(
    'ptlab, trace.dat, to a file',
    measure('node', [here('./import-one.mjs'), dat, arrow]),
    events,
    peer,
  );
  const regex = measure('node', [here('./regex-lines.mjs'), text]);
  const ftrace = measure('node', [here('./import-one.mjs'), text]);
  show('regular expression, text', regex, events);
  show('ptlab, text', ftrace, events, regex);
  const file = measure('node', [here('./import-one.mjs'), text, arrow]);
  const arrowMb = statSync(arrow).size / 1e6;
  show('ptlab, text to an Arrow file', file, events, regex);
  const own = (m) => `${((m.mb * 1.048576) / arrowMb).toFixed(2)} times`;
  console.log(
    `Arrow file ${arrowMb.toFixed(0)} MB; peak memory ${own(ftrace)} that in memory, ${own(file)} when written to a file`,
  );
} finally {
  rmSync(folder, { recursive: true });
}

#!/usr/bin/env node
// Holds the text of each event of a trace.dat against what `trace-cmd report` prints of it, and counts
// by kind of event how many differ: node scripts/check-print-fmt.mjs TRACE.DAT... (not packed)
// Where tracefs' own text is not trace-cmd's, ptlab follows tracefs; these are taken for equal: the
// place of a probe (a symbol, an address), %p (without and with 0x), the event's name of a print.
// Function graph events are left out: trace-cmd draws them.
import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { rowText } from '../dist/events/format.js';
import { openTrace } from '../dist/index.js';

const files = process.argv.slice(2);
if (files.length === 0) {
  console.error('usage: node scripts/check-print-fmt.mjs TRACE.DAT... (not packed)');
  process.exit(2);
}

const linePattern = /\[(\d+)\](?: .*?)? +(\d+\.\d{6,9}): +(.*)$/;

/** What both texts are brought to before they are compared. */
const plain = (text) =>
  text
    .replace(/^(bprint|print|bputs): +(?=\S+: )/, '')
    .replace(/^(\S+?):? +/, '$1: ')
    .replace(/: \([^)]*\)/, ': (place)')
    .replace(/0x(?=[0-9a-f]{12,16}\b)|\b0{1,3}(?=[0-9a-f]{13})/g, '')
    .trimEnd();

/** Lines of trace-cmd report by CPU and stamp, in order. */
async function reported(file) {
  const child = spawn('trace-cmd', ['report', '-N', '-t', '-i', file], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const found = new Map();
  for await (const line of createInterface({ input: child.stdout })) {
    const m = linePattern.exec(line);
    if (!m) continue;
    const key = `${Number(m[1])} ${m[2]}`;
    found.set(key, [...(found.get(key) ?? []), m[3]]);
  }
  return found;
}

function* rows(trace) {
  for (const batch of trace.batches) {
    const vectors = new Map(batch.schema.fields.map((f) => [f.name, batch.getChild(f.name)]));
    const stamps = vectors.get('ts_ns');
    for (let i = 0; i < batch.numRows; i++) {
      const get = (n) => vectors.get(n).get(i);
      const ns = stamps.get(i);
      const ts = `${ns / 1000000000n}.${String(ns % 1000000000n).padStart(9, '0')}`;
      const event = get('event');
      yield { key: `${get('cpu')} ${ts}`, event, line: linePattern.exec(rowText(get, false))?.[3] };
    }
  }
}

for (const file of files) {
  const theirs = await reported(file);
  const kinds = new Map();
  const n = { equal: 0, different: 0, apart: 0, missing: 0 };
  for (const { key, event, line } of rows(await openTrace(file))) {
    const other = theirs.get(key)?.shift();
    if (/^funcgraph_|^unknown:|_stack$/.test(event)) n.apart++;
    else if (other === undefined || line === undefined) n.missing++;
    else if (plain(other) === plain(line)) n.equal++;
    else {
      n.different++;
      const k = kinds.get(event) ?? { n: 0, other, line };
      kinds.set(event, { ...k, n: k.n + 1 });
    }
  }
  const share = (100 * n.equal) / (n.equal + n.different + n.missing);
  console.log(
    `${file}: ${n.equal} texts equal (${share.toFixed(2)} %), ${n.different} different, ` +
      `${n.missing} only ptlab's; ${n.apart} of graphs, stacks, unknown events`,
  );
  for (const [event, k] of [...kinds].sort((a, b) => b[1].n - a[1].n)) {
    console.log(`  ${k.n} ${event}\n    trace-cmd: ${k.other}\n    ptlab:     ${k.line}`);
  }
}

// How fast does the notebook kernel start, and answer a trivial cell? Beside plain tslab, in turns.
// usage: node bench/notebook.mjs [rounds]
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { startKernel } from '../dist/notebook/client.js';
import { findSpec } from '../dist/notebook/spec.js';

const rounds = Number(process.argv[2] ?? 5);
const cells = 30;
const require = createRequire(import.meta.url);
const bin = join(dirname(require.resolve('tslab/package.json')), 'bin', 'tslab');
const specs = {
  ptlab: findSpec('ptlab'),
  tslab: {
    ...findSpec('tslab'),
    argv: [process.execPath, bin, 'kernel', '--config-path={connection_file}'],
  },
};

const run = (kernel, code) =>
  kernel.ask('execute_request', {
    code, silent: false, store_history: true, user_expressions: {},
    allow_stdin: false, stop_on_error: true,
  }); // biome-ignore format: one record

const median = (list) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)];

/** Milliseconds: to the first answer, to the first result, for a cell in the median. */
async function measure(spec) {
  const began = performance.now();
  const kernel = await startKernel(spec, tmpdir());
  const ready = performance.now() - began;
  await run(kernel, '1 + 1');
  const first = performance.now() - began;
  const trivial = [];
  const declares = [];
  for (let i = 0; i < cells; i++) {
    const t = performance.now();
    await run(kernel, `${i} + 1`);
    trivial.push(performance.now() - t);
  }
  for (let i = 0; i < cells; i++) {
    const t = performance.now();
    await run(kernel, `const a${i} = ${i}; console.log(a${i})`);
    declares.push(performance.now() - t);
  }
  await kernel.shutdown();
  return { ready, first, trivial: median(trivial), declares: median(declares) };
}

const got = { ptlab: [], tslab: [] };
for (let r = 0; r < rounds; r++)
  for (const name of ['tslab', 'ptlab']) got[name].push(await measure(specs[name]));

const what = {
  ready: 'start to the first kernel_info reply',
  first: 'start to the first result',
  trivial: "a trivial cell ('1 + 1')",
  declares: 'a cell that declares and prints',
};
console.log(`medians of ${rounds} rounds, ms            ptlab     tslab  tslab/ptlab`);
for (const [key, text] of Object.entries(what)) {
  const [p, t] = [median(got.ptlab.map((g) => g[key])), median(got.tslab.map((g) => g[key]))];
  const cols = [
    p.toFixed(1).padStart(9),
    t.toFixed(1).padStart(9),
    (t / p).toFixed(2).padStart(12),
  ];
  console.log(text.padEnd(37) + cols.join(' '));
}

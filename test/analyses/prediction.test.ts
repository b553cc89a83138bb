import { readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { predict } from '../../src/analyses/prediction.js';
import { next32, random, uniform } from '../../src/linux/random.js';
import { readFtrace, sample } from '../traces.js';

const textOf = (name: string): string => gunzipSync(readFileSync(sample(name))).toString('utf8');
const traceOf = async (name: string, change = (t: string) => t) => readFtrace(change(textOf(name)));

/** Lines of a trace but those that match. */
const without = (pattern: RegExp) => (text: string) =>
  text
    .split('\n')
    .filter((l) => !pattern.test(l))
    .join('\n');

for (const name of ['A-boot-smp1', 'A-e10s', 'A-t32', 'A-x2b', 'B2-x2b-2readers', 'D-x2b-1reader'])
  test(`${name}: every address, purge and table count of a real kernel`, async () => {
    const p = predict(await traceOf(name));
    expect(p.misses).toEqual([]);
    expect(p.allocations.exact).toBe(p.allocations.total);
    expect(p.allocations.total).toBeGreaterThan(80);
    expect(p.requests.exact).toBe(p.requests.total);
    expect(p.purges.exact).toBe(p.purges.total);
    expect(p.tables.predicted).toEqual(p.tables.observed);
    expect(p.equal).toBe(true);
  });

test('the vmalloc tracepoints alone are enough for the addresses', async () => {
  const only = without(
    /\d: (?!alloc_vmap_area|free_vmap_area_noflush|purge_vmap_area_lazy)[^:]+: /,
  );
  for (const name of ['A-e10s', 'A-t32', 'A-x2b']) {
    const p = predict(await traceOf(name, only));
    expect(p.tables.observed).toBeNull();
    expect(p.allocations.total).toBeGreaterThan(400);
    expect(p.allocations.exact).toBe(p.allocations.total);
    expect(p.purges.exact).toBe(p.purges.total);
  }
});

test('a wrong address is a miss; the replay goes on from it', async () => {
  const text = textOf('A-e10s');
  const events = [...text.matchAll(/alloc_vmap_area: va_start: (\d+) size=20480/g)];
  const at = BigInt(events[20]![1]!);
  const wrong = at + (1n << 40n);
  const p = predict(await readFtrace(text.replaceAll(`va_start: ${at} `, `va_start: ${wrong} `)));
  expect(p.equal).toBe(false);
  expect(p.allocations.first_mismatch).toBe(p.misses[0]!.n);
  expect(p.misses[0]).toMatchObject({
    predicted: `0x${at.toString(16)}`,
    real: `0x${wrong.toString(16)}`,
  });
  expect(p.misses[0]!.because).not.toBe('');
  expect(p.allocations.exact).toBeGreaterThan(p.allocations.total * 0.9);
});

test('a purge that is told wrong is a miss', async () => {
  const p = predict(await traceOf('A-x2b', (t) => t.replace(/num_purged=2$/m, 'num_purged=3')));
  expect(p.purges.exact).toBe(p.purges.total - 1);
  expect(p.equal).toBe(false);
});

test('a table count that is told wrong is not equal, and says which', async () => {
  const lost = (t: string) => t.replace(/^.*pmd_free_pte_page: .*\n/m, '');
  const p = predict(await traceOf('A-x2b', lost));
  expect(p.equal).toBe(false);
  expect(p.tables.because.join()).toContain('pte_tables_freed: predicted 99, observed 98');
});

test('a trace of mid-life is replayed as far as it can be', async () => {
  const late = (t: string) => t.slice(0, t.indexOf('<idle>-0')) + t.slice(t.indexOf('wl_begin'));
  const p = predict(await traceOf('A-e10s', late));
  expect(p.allocations.exact).toBeGreaterThan(p.allocations.total * 0.9);
  expect(p.misses[0]!.because).toContain('--from-vmallocinfo');
});

const HEAD = '# tracer: nop\n#\n';
const START = 0xffff800080000000n;
const line = (task: string, cpu: number, us: number, event: string): string =>
  `${task.padStart(16)} [00${cpu}] .....     0.${String(us).padStart(6, '0')}: ${event}\n`;
const alloc = (pages: number, size: number, align = 1): string =>
  `alloc_vmap_area: va_start: ${START + BigInt(pages) * 4096n} size=${size * 4096} align=${align * 4096} ` +
  'vstart=0xffff800080000000 vend=0xfffffdffbf800000 failed=0';
const call = (pages: number): string =>
  `vmalloc_range: (__vmalloc_node_range_noprof+0x0/0x628) size=${pages * 4096} align=1 vmflags=0x0`;

test('calls that overlap may be served in the other order; that is said', async () => {
  const text =
    HEAD +
    line('<idle>-0', 0, 1, alloc(100, 2)) +
    line('a-10', 0, 10, call(3)) +
    line('b-11', 1, 11, call(3)) +
    line('b-11', 1, 12, alloc(106, 4)) +
    line('a-10', 0, 13, alloc(102, 4));
  const p = predict(await readFtrace(text));
  expect(p.allocations).toMatchObject({ total: 3, exact: 3, reordered: 2 });
});

test('calls one after the other may not', async () => {
  const text =
    HEAD +
    line('<idle>-0', 0, 1, alloc(100, 2)) +
    line('b-11', 1, 11, call(3)) +
    line('b-11', 1, 12, alloc(106, 4)) +
    line('a-10', 0, 13, call(3)) +
    line('a-10', 0, 14, alloc(102, 4));
  const p = predict(await readFtrace(text));
  expect(p.allocations).toMatchObject({ total: 3, exact: 2 });
});

test('a trace without vmalloc events gives zeros', async () => {
  const p = predict(await readFtrace(HEAD + line('a-1', 0, 1, 'sched_switch: x')));
  expect(p.allocations.total).toBe(0);
});

test('a trace with lost, doubled and misplaced lines is replayed without falling over', async () => {
  const lines = textOf('A-e10s').split('\n');
  for (const [seed, share] of [
    [1, 0.01],
    [2, 0.1],
    [3, 0.5],
  ] as const) {
    const r = random(seed);
    const out: string[] = [];
    for (const l of lines) {
      const fate = l.startsWith('#') || uniform(r) > share ? 5 : next32(r) % 4;
      if (fate === 1) out.push(l, l);
      else if (fate === 2) out.splice(Math.max(12, out.length - 20), 0, l);
      else if (fate === 3)
        out.push(l.replace(/size=\d+/, `size=${4096 * (1 + (next32(r) % 600))}`));
      else if (fate === 5) out.push(l);
    }
    const p = predict(await readFtrace(out.join('\n')));
    expect(p.allocations.total).toBeGreaterThan(500);
    expect(p.misses.length).toBeGreaterThan(0);
  }
});

test('after lost events the replay finds its way again', async () => {
  const lines = textOf('A-e10s').split('\n');
  const p = predict(await readFtrace(lines.filter((_, i) => i % 200 !== 150).join('\n')));
  expect(p.allocations.exact).toBeGreaterThan(0.9 * p.allocations.total);
  expect(p.equal).toBe(false);
});

test('per-CPU areas, which no event announces, are taken in when they are freed', async () => {
  const pmdp = (i: number) =>
    `pte_alloc_kernel: (__pte_alloc_kernel+0x0/0x130) pmdp=0x${(0xffff000000c70000 + i * 8).toString(16)}`;
  const text =
    HEAD +
    line('<idle>-0', 0, 1, alloc(100, 2)) +
    line('t-9', 0, 2, call(1)) +
    line('t-9', 0, 3, alloc(102, 2)) +
    line('t-9', 0, 4, pmdp(508)) + // not where the area of two pages lies
    line('k-8', 0, 5, 'free_vmap_area_noflush: va_start=0xfffffdffbf000000 nr_lazy=64 nr_lazy_max=8192') +
    line('k-8', 0, 6, 'free_vmap_area_noflush: va_start=0xffff800080066000 nr_lazy=66 nr_lazy_max=8192') +
    line('k-8', 0, 7, 'purge_vmap_area_lazy: start=0xffff800080066000 end=0xfffffdffbf040000 num_purged=2') +
    line('t-9', 0, 8, call(1)) +
    line('t-9', 0, 9, alloc(102, 2)); // biome-ignore format: a trace
  const p = predict(await readFtrace(text));
  expect(p.purges).toMatchObject({ total: 1, exact: 1 });
  expect(p.allocations.exact).toBe(3);
  expect(p.tables).toMatchObject({ untraced: 1 });
  expect(p.tables.predicted.pte_tables_allocated).toBe(1); // the other slot had its table
});

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { infoOf } from '../../src/analyses/info.js';
import { overwrites } from '../../src/analyses/overwrites.js';
import { summary } from '../../src/charts/overwrites-summary.js';
import { openTrace } from '../../src/importers/open.js';
import { readFtrace, sample } from '../traces.js';

const samples = ['A-boot-smp1', 'A-x2b', 'B2-x2b-2readers', 'D-x2b-1reader'];
const figures = [
  'pte_tables_allocated', 'pte_tables_freed', 'pmd_tables_freed', 'huge_set_pmd', 'huge_set_pud',
  'huge_cleared_pmd', 'huge_cleared_pud',
] as const; // biome-ignore format: a table

test.each(samples)('%s: every count equals that of another program', async (name) => {
  const truth = JSON.parse(readFileSync(sample(name, 'truth.json'), 'utf8'));
  const trace = await openTrace(sample(name));
  const info = infoOf(trace);
  expect(info).toMatchObject({
    events: truth.lines,
    per_event: truth.per_event,
    per_cpu: truth.per_cpu,
    first_ns: truth.first_us * 1000,
    last_ns: truth.last_us * 1000,
    lost: 0,
    stated: truth.lines,
    unparsed: { lines: 0, samples: [] },
  });
  const a = overwrites(trace);
  for (const [phase, want] of Object.entries<Record<string, number>>(truth.phases)) {
    const got = a.phases[phase]!;
    expect(got.allocations, phase).toBe(want['allocations'] ?? 0);
    for (const f of figures) expect(got.observed![f], `${phase} ${f}`).toBe(want[f] ?? 0);
  }
  const lost = truth.race_windows?.read_lock.trylock_failed ?? 0;
  expect(a.predicted.lost_to_trylock).toBe(lost);
  expect(a.predicted.overwrites).toBe(a.observed!.pte_tables_freed + lost);
});

const guard = 4096;
const MiB = 2 ** 20;
const line = (event: string, t: number, pid = 7): string =>
  `            vmix-${String(pid).padEnd(7)} [000] ..... ${t.toFixed(6)}: ${event}`;
const alloc = (va: number, bytes: number, align: number, t: number): string =>
  line(
    `alloc_vmap_area: va_start: ${va} size=${bytes + guard} align=${align} vstart=0x0 vend=0x0 failed=0`,
    t,
  );
const free = (va: number, t: number): string =>
  line(`free_vmap_area_noflush: va_start=0x${va.toString(16)} nr_lazy=1 nr_lazy_max=2`, t);

test('without probes the figures are predicted, with bounds for older tables', async () => {
  const a = overwrites(
    await readFtrace(
      [
        alloc(4 * MiB, MiB, 1, 1),
        alloc(4 * MiB, 2 * MiB, 2 * MiB, 2), // overwrites the table above
        alloc(8 * MiB, 2 * MiB, 2 * MiB, 3), // nothing known of this slot
      ].join('\n'),
    ),
  );
  expect(a.observed).toBeNull();
  expect(a.predicted).toMatchObject({ overwrites: 1, lower: 1, upper: 2, huge_mappings: 2 });
  expect(a.rates.per_1000_huge).toBe(500);
  expect(a.rates.per_second).toBe(0.5);
  expect(a.rows).toMatchObject([{ va: '0x400000', age_ns: 1e9, how: 'predicted', task: 'vmix' }]);
  expect(Object.keys(a.phases)).toEqual(['all']);
});

test('a huge mapping given up for lack of pages overwrites nothing', async () => {
  const mapped = 'pmd_set_huge: (pmd_set_huge+0x0/0x90) pmdp=0x1 phys=0x2 old=0x0';
  const fallBack = [
    alloc(4 * MiB, MiB, 1, 1),
    line('vmalloc_range: (f+0x0/0x1) size=1 align=1 vmflags=0x0', 1.5),
    alloc(4 * MiB, 2 * MiB, 2 * MiB, 2),
    free(4 * MiB, 2.1),
    alloc(8 * MiB, 2 * MiB, 1, 2.2),
  ];
  const a = overwrites(await readFtrace(fallBack.join('\n')));
  expect(a.predicted).toMatchObject({ overwrites: 0, huge_mappings: 0 });
  const reallyMapped = [...fallBack.slice(0, 3), line(mapped, 2.05), ...fallBack.slice(3)];
  const b = overwrites(await readFtrace(reallyMapped.join('\n')));
  expect(b.predicted).toMatchObject({ overwrites: 1, huge_mappings: 1 });
  const unprobed = [fallBack[0], ...fallBack.slice(2)];
  const c = overwrites(await readFtrace(unprobed.join('\n')));
  expect(c.predicted).toMatchObject({ overwrites: 1, lower: 0 }); // in doubt without probes
});

test('the trylock may refuse one of two tables of an area whose page array is allocated in between', async () => {
  const lock = (ok: boolean, t: number) =>
    line(
      `mmap_lock_acquire_returned: mm=ffff800080a23f40 memcg_path= write=false success=${ok}`,
      t,
    );
  const huge = (t: number, ...tries: boolean[]) => [
    alloc(4 * MiB, 4 * MiB, 2 * MiB, t),
    alloc(16 * MiB, 2 * guard, 1, t + 0.1),
    ...tries.map((ok, i) => lock(ok, t + 0.2 + i / 100)),
    free(4 * MiB, t + 0.4),
  ];
  const lines = [
    alloc(4 * MiB, 4 * MiB, 1, 1),
    ...huge(2, true, false),
    ...huge(3, true),
    ...huge(4),
  ];
  const a = overwrites(await readFtrace(lines.join('\n')));
  expect(a.predicted).toMatchObject({ overwrites: 3, lost_to_trylock: 1, huge_mappings: 3 });
});

test('marks of any name make phases', async () => {
  const mark = (name: string, t: number) => line(`tracing_mark_write: MARK ${name}`, t);
  const trace = await readFtrace(
    [mark('a', 1), alloc(4 * MiB, MiB, 1, 2), mark('b', 3), mark('a', 4)].join('\n'),
  );
  const { phases } = overwrites(trace);
  expect(Object.keys(phases)).toEqual(['start', 'a', 'b', 'a#2']);
  expect(phases['a']).toMatchObject({ allocations: 1, seconds: 2 });
});

test('a trace without any vmalloc event has zeros, not errors', async () => {
  const a = overwrites(await readFtrace(line('sched_wakeup: comm=x', 1)));
  expect(a.predicted.overwrites).toBe(0);
  expect(a.rates).toEqual({ per_second: null, per_1000_huge: null, per_1000_allocations: null });
});

test('a free whose entry is not shown is counted for a table, and said', async () => {
  const at = (t: number, entry: string) => line(`pmd_free_pte_page: (pmd_free_pte_page+0x0/0x88) ${entry}`, t); // biome-ignore format: one line
  const graph =
    '# tracer: function_graph\n    2.395984 |   1)    ldmod-66    |   1.984 us    |    pmd_free_pte_page();\n';
  const seen = overwrites(
    await readFtrace([at(1, 'pmd=0x10000003'), at(2, 'pmd=0x701')].join('\n')),
  );
  expect([seen.observed?.pte_tables_freed, seen.entries_unseen]).toEqual([1, 0]);
  const unseen = overwrites(await readFtrace(graph));
  expect([unseen.observed?.pte_tables_freed, unseen.entries_unseen]).toEqual([1, 1]);
  expect(JSON.stringify(summary.spec(unseen, { command: [] }))).toContain(
    '1 calls do not show their entry',
  );
});

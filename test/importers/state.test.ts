import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { tablesOfDump } from '../../src/analyses/dump-tables.js';
import { readPageTables, staleTables } from '../../src/importers/page-tables.js';
import { readVmallocInfo } from '../../src/importers/vmallocinfo.js';
import { geometry } from '../../src/linux/arm64/geometry.js';
import { layout } from '../../src/linux/arm64/layout.js';
import {
  formatAttributes,
  formatRange,
  markersOf,
  readAttributes,
} from '../../src/linux/arm64/ptdump.js';
import { runFast } from '../../src/linux/lib/workload.js';
import { bootMachine } from '../../src/linux/mm/machine.js';
import { ptdumpText, walksPerRead } from '../../src/linux/mm/ptdump.js';
import { actions, machine, program } from '../linux/machines.js';
import { root } from '../source.js';

const data = (name: string): string => readFileSync(join(root, 'data', name), 'utf8');
const FIXMAP = 0xffffffffff42b000n;
const markers = markersOf(layout(geometry()), FIXMAP);

for (const name of ['kernel_page_tables.boot', 'kernel_page_tables.end'])
  test(`${name}: read, printed again, and walked in the model, it is the same byte for byte`, () => {
    const text = data(`B2-x2b-2readers/${name}`);
    const lines = readPageTables(text);
    const again = lines.map((l) => {
      if (l.kind === 'marker') return `---[ ${l.name} ]---`;
      const a = l.attributes === '' ? '' : formatAttributes(readAttributes(l.attributes)!);
      return formatRange(l.start, l.end, l.level, a);
    });
    expect(`${again.join('\n')}\n`).toBe(text);
    expect(`${ptdumpText(tablesOfDump(lines), markers).join('\n')}\n`).toBe(text);
  });

test('the model dumps what it mapped, and the dump gives the model back', () => {
  fc.assert(
    fc.property(actions(60), (list) => {
      const v = bootMachine(machine());
      runFast(v, program(list));
      const text = ptdumpText(v.tables, markers);
      const back = tablesOfDump(readPageTables(text.join('\n')));
      expect(ptdumpText(back, markers)).toEqual(text);
      const pteTables = (t: typeof back) =>
        [...t.info.values()].filter((i) => i.height === 0).length;
      expect(pteTables(back)).toBe(pteTables(v.tables));
    }),
    { numRuns: 12 },
  );
});

test('a table left behind is seen as holes over a whole PMD entry', () => {
  const v = bootMachine(machine());
  const page = runFast(
    v,
    program([
      { do: 'small', pages: 1300 },
      { do: 'free', pick: 0 },
    ]),
  )[0]!;
  const stale = staleTables(readPageTables(ptdumpText(v.tables, markers).join('\n')));
  expect(stale.pte).toBe([...v.tables.info.values()].filter((i) => i.height === 0).length);
  expect(stale.slots.map((at) => Number(at >> 21n))).toContain(Math.floor(page / 512));
});

test('lines are formatted as the kernel formats them', () => {
  const kernel = { valid: true, user: false, readOnly: false, pxn: true, shared: true, accessed: true, notGlobal: false, contiguous: false, block: false, uxn: true, guarded: false, type: 'MEM/NORMAL' as const }; // biome-ignore format: one row
  const at = 0xffff800080000000n;
  expect(formatRange(at, at + 4096n, 'PTE', formatAttributes(kernel))).toBe(
    '0xffff800080000000-0xffff800080001000           4K PTE       RW NX SHD AF            UXN    MEM/NORMAL',
  );
  expect(formatRange(at + 0x400000n, at + 0x40000000n, 'PMD', '')).toBe(
    '0xffff800080400000-0xffff8000c0000000        1020M PMD',
  );
});

test('a read walks the tables once and again for each doubling of the buffer', () => {
  expect([100, 4095, 4096, 8191, 8192, 13739].map((n) => walksPerRead(n))).toEqual([
    1, 1, 2, 2, 3, 3,
  ]);
});

test('a wrong line of a dump is named', () => {
  expect(() => readPageTables('---[ x ]---\nnonsense')).toThrow(
    /line 2 is not of kernel_page_tables: "nonsense"/,
  );
  expect(() => readPageTables('')).toThrow(/empty/);
  const wrong = '0xffff800080000000-0xffff800080001000           8K PTE';
  expect(() => readPageTables(wrong)).toThrow(/line 1: 8K is not the distance/);
});

test('vmallocinfo is read', () => {
  const areas = readVmallocInfo(data('A-x2b/vmallocinfo.boot'));
  expect(areas[0]).toEqual({
    start: 0xffff800080000000n,
    end: 0xffff800080580000n,
    size_bytes: 5767168,
    caller: 'paging_init+0x28c/0x328',
    pages: null,
    phys: 0x40200000n,
    kind: 'vmap',
    vpages: false,
  });
  expect(new Set(areas.map((a) => a.kind))).toContain('unpurged');
  expect(areas.filter((a) => a.kind === 'ioremap').every((a) => a.phys !== null)).toBe(true);
});

test('hashed addresses of vmallocinfo are refused with a way out', () => {
  const hashed = '0x0000000087cbe34d-0x00000000f0b389d8 5767168 paging_init+0x28c/0x328 vmap';
  expect(() => readVmallocInfo(hashed)).toThrow(/line 1: .*no_hash_pointers/);
  expect(() => readVmallocInfo('what')).toThrow(/line 1 is not of \/proc\/vmallocinfo: "what"/);
});

test('vmallocinfo of every kind of area, also one without a caller', () => {
  const areas = readVmallocInfo(
    [
      '0xffff800080000000-0xffff800080005000   20480 gen_pool_add_owner+0x68/0xf0 pages=4 vmalloc N0=3 N1=1',
      '0xffff800081300000-0xffff800081302000    8192 f+0x1/0x2 [mod] pages=1 vmalloc user N0=1',
      '0xffff800081400000-0xffff800081402000    8192 pages=1 vmalloc N0=1',
      '0xffff800081500000-0xffff800081702000 2105344 alloc_large_system_hash+0x1a0/0x2a4 pages=513 vmalloc vpages N0=513',
      '0xffff800081800000-0xffff800081802000    8192 vm_map_ram',
      '0xffff800081900000-0xffff800081902000    8192 unpurged vm_area',
      '0xffff800082000000-0xffff800082002000    8192 acpi_os_map_iomem+0x1f7/0x220 phys=0x000000007ffe1000 ioremap',
    ].join('\r\n'),
  );
  expect(areas.map((a) => [a.kind, a.caller, a.pages, a.vpages])).toEqual([
    ['vmalloc', 'gen_pool_add_owner+0x68/0xf0', 4, false],
    ['vmalloc', 'f+0x1/0x2', 1, false],
    ['vmalloc', '', 1, false],
    ['vmalloc', 'alloc_large_system_hash+0x1a0/0x2a4', 513, true],
    ['vm_map_ram', '', null, false],
    ['unpurged', '', null, false],
    ['ioremap', 'acpi_os_map_iomem+0x1f7/0x220', null, false],
  ]);
  const hidden = '0x(____ptrval____)-0x(____ptrval____)   20480 f+0x68/0xf0 pages=4 vmalloc';
  expect(() => readVmallocInfo(hidden)).toThrow(/line 1: .*not printed.*no_hash_pointers/);
});

test('dumps of older kernels: other capitals, no UXN, blanks, carriage returns', () => {
  const lines = readPageTables(
    [
      '---[ vmalloc() Area ]---',
      '0xffff000008000000-0xffff000008010000          64K PTE       RW NX SHD AF    CON     MEM/NORMAL',
      '0xffff000008200000-0xffff000008600000           4M PTE       ',
      '---[ vmalloc() End ]---',
      '0xffff000010200000-0xffff000010600000           4M PTE',
      '0xffff000010600000-0xffff000010600080         128B PGD',
      '',
    ].join('\r\n'),
  );
  expect(staleTables(lines)).toMatchObject({
    pte: 2,
    pmd: 0,
    slots: [0xffff000008200000n, 0xffff000008400000n],
  });
});

test('dumps of other architectures are named', () => {
  const marker = '---[ vmalloc() Area ]---';
  for (const [line, name] of [
    ['0xffffc90000000000-0xffffc90000001000           4K     RW                 GLB NX pte', 'x86'],
    [
      '0xff20000000000000-0xff20000000001000    0x0000000080a00000         4K PTE     D A G',
      'riscv',
    ],
    ['0xbf000000-0xbf001000           4K     RW NX MEM/CACHED/WBWA', '32 bits'],
  ])
    expect(() => readPageTables(`${marker}\n${line}`)).toThrow(RegExp(`line 2 is of .*${name}`));
});

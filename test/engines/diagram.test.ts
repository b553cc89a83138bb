import { expect, test } from 'vitest';
import { diagram } from '../../src/engines/diagram.js';
import { explore } from '../../src/engines/explore.js';
import { scenarios } from '../../src/scenarios/index.js';
import { rows } from '../../src/scenarios/rows.js';
import { schemes } from '../../src/schemes/index.js';

const bugs = rows.filter((r) => r.sc?.verdict === 'bug');
const draw = (id: string) => {
  const r = rows.find((x) => x.id === id)!;
  const { sizes, variant } = r;
  return diagram(explore(scenarios[r.scenario], schemes[r.scheme], { sizes, variant }));
};

test.each(bugs.map((r) => r.id))('%s: fit for a mail', (id) => {
  for (const line of draw(id).split('\n')) {
    expect(line.length).toBeLessThanOrEqual(72);
    expect(line).toMatch(/^[\x20-\x7e]*$/);
    expect(line).not.toMatch(/\s$/);
  }
});

test('two columns, locks held, the bang and who freed what', () => {
  expect(draw('S0')).toBe(`    A = vmalloc CPU0               B = ptdump 0
  1                                B: mmap_write_lock
  2                                B: pXdp_get(pmd[0]) -> pte table 0
                                      [init_mm W]
  3 A: pmd_clear(pmd[0])
  4 A: free(pte table 0) [no lock]
  5                                B: read pte table 0 [init_mm W]
                                      <== BANG: freed at step 4
==> use after free: ptdump 0 (cpu 1) touched pte table 0, freed at step
    4 by vmalloc CPU0 (cpu 0)`);
});

test('an archive that eats blanks leaves the order and the tasks', () => {
  const eaten = draw('S3').split('\n').map((l) => l.trim().replace(/ +/g, ' ')); // biome-ignore format: one line
  expect(eaten.filter((l) => /^\d+ [AB]: /.test(l)).map((l) => l.split(' ')[1])).toEqual(['A:', 'B:', 'B:', 'B:', 'A:', 'A:', 'B:']); // biome-ignore format: one line
});

test('a value, the locks and the bang are never broken over two lines', () => {
  for (const { id } of bugs)
    for (const line of draw(id)
      .split('\n')
      .filter((l) => !/^(==>| {4}\S)/.test(l))) {
      expect(line.split('[').length).toBe(line.split(']').length);
      expect(line).not.toMatch(/(->|<==|pte table)$/);
    }
});

test('three tasks: numbered lines', () => {
  expect(draw('S2 2r').split('\n')[0]).toBe('  1 ptdump 0: static_branch_enable -> 1');
});

test('a deadlock says who waits for what', () => {
  expect(draw('S8x')).toContain('==> deadlock: vmalloc CPU0 waits at mmap_read_lock(init_mm);');
});

test('names that are not ASCII cannot break a line', () => {
  const v = explore(scenarios['pmd-free'], schemes.none);
  const evil = v.counterexample.map((m) => ({
    ...m,
    text: `${m.text}\r\nBcc: x \u001b[31m\u00e9`,
  }));
  expect(diagram({ ...v, counterexample: evil })).toMatch(/^[\x20-\x7e\n]*$/);
});

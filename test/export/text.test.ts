import { spawnSync } from 'node:child_process';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { commandLines, quote, splitWords } from '../../src/export/shell.js';
import { type Row, toText } from '../../src/export/text.js';
import { anyChart, buckets, chart, hostile, number, whole, xy } from './specs.js';

const ascii = /^[\x20-\x7e]*$/;
const forbidden = /^(From |-- |---|>|diff )/;

/** What is wrong with a line, or nothing. */
function faults(line: string, utf8: boolean): string[] {
  return [
    line.length > 72 ? 'wide' : '',
    utf8 ? (/[\p{C}]/u.test(line) ? 'control' : '') : ascii.test(line) ? '' : 'not 7-bit',
    /\s$/.test(line) ? 'trailing blank' : '',
    forbidden.test(line) ? 'line start' : '',
  ].filter((f) => f !== '');
}

/** The figures of a block: what stands between its head and its command. */
const body = (text: string): string[] => {
  const lines = text.split('\n');
  const start = lines.indexOf('') + 1;
  return lines.slice(
    start,
    lines.findLastIndex((l, i) => l === '' && i < lines.length - 1),
  );
};

const rounded = (v: number): number => (Number.isSafeInteger(v) ? v : Number(v.toPrecision(6)));

test('every line of every chart can be mailed', () => {
  fc.assert(
    fc.property(anyChart, fc.boolean(), (spec, utf8) => {
      const text = toText(spec, { utf8 });
      expect(toText(structuredClone(spec), { utf8 })).toBe(text);
      expect(text.endsWith('\n')).toBe(true);
      const wrong = text.split('\n').flatMap((l) => faults(l, utf8).map((f) => `${f}: ${l}`));
      expect(wrong).toEqual([]);
    }),
    { numRuns: 700 },
  );
});

test('the check of lines does catch bad ones', () => {
  const bad = [
    'x'.repeat(73),
    'é',
    'a ',
    'From x',
    '-- ',
    '---',
    '> x',
    'diff -u',
    'a\tb',
    '\u001b[0m',
  ];
  expect(bad.filter((l) => faults(l, false).length === 0)).toEqual([]);
});

test('numbers of a table parse back', () => {
  const rows = fc.array(fc.tuple(number, number, whole), { minLength: 1, maxLength: 16 });
  fc.assert(
    fc.property(rows, (table) => {
      const spec = chart(
        'table',
        table.map(([a, b, c]) => ({ a, b, c })),
      );
      const read = new Map<string, number[]>([
        ['a', []],
        ['b', []],
        ['c', []],
      ]);
      let names: string[] = [];
      const seen = new Set<string>();
      for (const line of body(toText(spec))) {
        const words = line.trim().split(/ +/);
        if (words[0] === 'a') {
          for (const n of names) seen.add(n);
          names = words;
        } else if (line !== '')
          words.forEach((w, i) => {
            const n = names[i] as string;
            if (!seen.has(n)) read.get(n)?.push(Number(w));
          });
      }
      const want = (k: 0 | 1 | 2) => table.map((r) => rounded(r[k]) + 0);
      expect([...read.values()]).toEqual([want(0), want(1), want(2)]);
    }),
  );
});

test('numbers of a histogram, of bars and of percentiles parse back', () => {
  fc.assert(
    fc.property(buckets, (rows) => {
      const lines = body(toText(chart('log2-histogram', rows))).slice(1, -1);
      const counts = lines.map((l) => Number(/ (\d+) \|/.exec(l)?.[1])).filter((c) => c > 0);
      const sorted = [...rows].sort((a, b) => a.lo - b.lo);
      expect(counts).toEqual(sorted.map((r) => r.count).filter((c) => c > 0));
    }),
  );
  fc.assert(
    fc.property(fc.array(fc.tuple(hostile, whole), { minLength: 1, maxLength: 16 }), (rows) => {
      const spec = chart(
        'bars',
        rows.map(([b, a]) => ({ a, b })),
        {},
        xy('a', 'b', 'nominal'),
      );
      const lines = body(toText(spec)).slice(1);
      expect(lines.map((l) => Number(/ (\S+)( {2}#+)?$/.exec(l)?.[1]))).toEqual(
        rows.map((r) => r[1]),
      );
    }),
  );
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.nat(100), { minLength: 1, maxLength: 12 }),
      fc.oneof(
        whole.filter((w) => w < 2 ** 40),
        fc.double({ min: -1e9, max: 1e9, noNaN: true }),
      ),
      (ps, v) => {
        const rows = ps.sort((a, b) => a - b).map((p) => ({ p, value: v * p }));
        const lines = body(toText(chart('percentiles', rows))).slice(1);
        expect(lines.map((l) => Number(l.trim().split(/ +/)[1]))).toEqual(
          rows.map((r) => rounded(r.value) + 0),
        );
      },
    ),
  );
});

test('rows left out are counted and summed', () => {
  const rows = Array.from({ length: 40 }, (_, i) => ({ a: i, b: `task-${i}` }));
  expect(toText(chart('bars', rows, {}, xy('a', 'b', 'nominal')))).toContain(
    'and 24 more, together 660\n',
  );
  expect(toText(chart('table', rows))).toContain('and 24 rows more\n');
});

test('a histogram looks like one of bpftrace, bar 44 wide, gaps drawn', () => {
  const rows = [
    { lo: 0, hi: 1, count: 2 },
    { lo: 1, hi: 2, count: 4 },
    { lo: 4, hi: 8, count: 1 },
    { lo: 1024, hi: 2048, count: 3 },
  ];
  const lines = body(toText(chart('log2-histogram', rows)));
  expect(lines[1]).toBe(`[0]                     2 |${'@'.repeat(22)}${' '.repeat(22)}|`);
  expect(lines[2]).toBe(`[1]                     4 |${'@'.repeat(44)}|`);
  expect(lines[3]).toBe(`[2, 4)                  0 |${' '.repeat(44)}|`);
  expect(lines.find((l) => l.startsWith('[1K, 2K)'))).toContain(` 3 |${'@'.repeat(33)} `);
  expect(lines.every((l) => l.length <= 72) && lines[1]?.length).toBe(72);
});

// Student, "The probable error of a mean" (1908), the sleep data: Welch t = -1.8608, p = 0.07939.
test('before and after: means, spreads, percent and p of known data', () => {
  const before = [0.7, -1.6, -0.2, -1.2, -0.1, 3.4, 3.7, 0.8, 0, 2];
  const after = [1.9, 0.8, 1.1, 0.1, -0.1, 4.4, 5.5, 1.6, 4.6, 3.4];
  const text = toText(chart('compare', [{ name: 'sleep', before, after }]));
  expect(text).toMatch(/Amean {2}sleep 10 +0\.75 +2\.33 \( 210\.67%\) +0\.0794\n/);
  expect(text).toMatch(/Stddev sleep +1\.78901 +2\.00225 \( {2}11\.92%\)\n/);
  const clear = { name: 'x', before: [10, 11, 10, 11], after: [5, 6, 5, 6] };
  expect(toText(chart('compare', [clear], { better: 'lower' }))).toContain('*  47.62%*');
  expect(toText(chart('compare', [clear], { better: 'higher' }))).toContain('* -47.62%*');
  const one = toText(chart('compare', [{ name: 'x', before: [1], after: [2] }]));
  expect(one).toMatch(/Stddev x +- +- \( +n\/a\)\n/);
});

test('a cdf and a series say where they lie', () => {
  const points = Array.from({ length: 100 }, (_, i) => ({ a: i + 1, b: (i + 1) / 100 }));
  expect(toText(chart('cdf', points, {}, xy('a', 'b')))).toContain(
    '* p50 50, p90 90, p99 99, p100 100',
  );
  const text = toText(chart('series', points, {}, xy('b', 'a')));
  expect(text).toContain('* n 100, min 1, mean 50.5, max 100, sum 5050');
  const none = [0, 1, 2].map((a) => ({ a, b: 0 }));
  const [, top, ...below] = toText(chart('series', none, {}, xy('a', 'b'))).split(/^(?=.*\|)/m);
  expect(top).toMatch(/^ +1 \|\n/); // nothing to count is no reason for counts below 0
  expect(below[9]).toMatch(/^ +0 \|\* +\* +\*\n/);
});

test('a race has a column for each side and numbers its steps', () => {
  const rows: Row[] = [
    { lane: 'ptdump', text: 'reads the entry' },
    { lane: 'vmalloc', text: 'frees the table', note: 'still in use' },
  ];
  expect(body(toText(chart('race', rows)))).toEqual([
    '    ptdump                             vmalloc',
    '    ======                             =======',
    '1   reads the entry',
    '2                                      frees the table',
    '                                       <- still in use',
  ]);
});

test('what a chart lacks is named', () => {
  expect(() => toText({})).toThrow('usermeta.ptlab.shape');
  expect(() => toText(chart('bars', [], { command: ['sh'] }))).toThrow("begin with 'ptlab'");
  expect(() => toText(chart('pie' as 'bars', []))).toThrow('one of log2-histogram, bars');
  expect(() => toText(chart('compare', [{ name: 'x', before: [], after: [1] }]))).toThrow(
    "'before'",
  );
  const lazy = { ...chart('series', [{ a: 1 }]), transform: [{ filter: 'datum.a > 0' }] };
  expect(() => toText(lazy)).toThrow('transforms');
});

const word = fc.oneof(
  hostile.map((w) => w.replaceAll('\u0000', '').toWellFormed()),
  fc.string(),
);

test('a command line is read back word by word', () => {
  fc.assert(
    fc.property(fc.array(word), (words) => {
      const lines = commandLines(words, 72);
      expect(lines.every((l) => l.length <= 72 && ascii.test(l) && !forbidden.test(l))).toBe(true);
      expect(splitWords(lines.join('\n').slice(1))).toEqual(words.map((w) => w.toWellFormed()));
    }),
  );
});

test('bash reads the same words, and runs nothing', () => {
  const words = fc.sample(word, { numRuns: 200, seed: 8 }).filter((w) => w !== '');
  const lines = commandLines(words, 72).join('\n').slice(1);
  const bash = spawnSync('bash', ['-c', `printf '%s\\0' ${lines}`], { encoding: 'buffer' });
  expect(bash.status).toBe(0);
  expect(bash.stdout.toString('utf8').split('\0').slice(0, -1)).toEqual(words);
});

test('a line that does more than call ptlab is refused', () => {
  for (const line of [
    'a; b',
    'a | b',
    'a & b',
    'a $(b)',
    'a `b`',
    'a > b',
    'a $HOME',
    "a 'b",
    '"a"',
    'a\\ b',
    'a *',
  ])
    expect(() => splitWords(line), line).toThrow(SyntaxError);
  expect(quote('plain-1.0/x')).toBe('plain-1.0/x');
});

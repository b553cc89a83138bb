import { expect, test } from 'vitest';
import { exploredWords, exploreRows } from '../../src/commands/notebook-explored.js';
import { claims } from '../../src/scenarios/claims.js';
import { rows } from '../../src/scenarios/rows.js';
import { folder, ptlab } from './cli.js';

const table = exploreRows('sc');
const replayLine = /^ptlab replay \\\n {2}(\S+)$/gm;

test('every text of notebook 01 fits a mail; only a token may be longer', () => {
  const words = [...['table', 'bugs', 'safe', 'answer'] as const].map((w) => exploredWords[w](table));
  for (const line of [...words, exploredWords.claims()].join('\n').split('\n'))
    if (!/^ {2}p1~\S+$/.test(line)) expect(line).toMatch(/^[ -~]{0,72}$/);
}); // biome-ignore format: one line

test('the table has every row once, and agrees with the judges', () => {
  const text = exploredWords.table(table);
  for (const { id } of rows) expect(text.split('\n').filter((l) => l.startsWith(`${id.padEnd(14)} `))).toHaveLength(1); // biome-ignore format: one line
  expect(text).not.toContain('DIFFERS');
  const [first, ...rest] = table;
  const wrong = { ...first!, verdict: { ...first!.verdict, judged: { verdict: 'safe' as const } } };
  expect(exploredWords.table([wrong, ...rest])).toMatch(/^S0 .* DIFFERS$/m);
  expect(exploredWords.answer([wrong, ...rest])).toContain(': 1 of');
});

test('each bug names a token that replays it', () => {
  const bugs = table.filter((e) => e.verdict.verdict === 'bug');
  const tokens = [...exploredWords.bugs(table).matchAll(replayLine)].map((m) => m[1]!);
  expect(tokens).toEqual(bugs.map((e) => e.verdict.token));
  expect(ptlab(['replay', tokens[0]!, '-o', `${folder()}/run.arrow`]).status).toBe(0);
});

test('every claim is ruled as its runs came out', () => {
  const text = exploredWords.claims();
  expect(text.match(/^ {3}=> /gm)).toHaveLength(claims.length);
  expect(text).not.toContain('NOT AS RULED');
});

test('an unknown memory model names the known ones', () => {
  expect(() => exploreRows('power')).toThrow("unknown memory model 'power'. Known: sc, tso, arm64");
});

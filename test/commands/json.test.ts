import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { jsonOf } from '../../src/commands/json.js';
import { folder, ptlab } from './cli.js';

test('a value without a bigint is the JSON of any other', () => {
  fc.assert(
    fc.property(fc.jsonValue(), (v) => {
      expect(jsonOf(v)).toBe(JSON.stringify(v, null, 2));
    }),
  );
});

test('a bigint is a number with all its digits, whatever else stands there', () => {
  fc.assert(
    fc.property(fc.bigInt(), fc.string(), (n, text) => {
      const tricky = `#${n}"#${text}`;
      const json = jsonOf({ n, tricky, list: [n, '#1', '##1'] });
      expect(JSON.parse(json)).toEqual({ n: Number(n), tricky, list: [Number(n), '#1', '##1'] });
      expect(json).toContain(`"n": ${n},`);
    }),
  );
});

test('ptlab info --json keeps every digit of stamps of a wall clock', () => {
  const path = join(folder(), 'wall.txt');
  const line = (stamp: string) => `            bash-12      [001] ..... ${stamp}: cpu_idle: state=1\n`;
  writeFileSync(path, line('1795707215.055986955') + line('1795707215.453393503'));
  const { stdout } = ptlab(['info', path, '--json']);
  expect(stdout).toContain('"first_ns": 1795707215055986955,');
  expect(stdout).toContain('"last_ns": 1795707215453393503,');
}); // biome-ignore format: long lines

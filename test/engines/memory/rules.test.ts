// Mutants of the scenario engine's ordering rules: each rule of flat-window.ts changed or left out. A mutant is killed if some
// program of two threads then ends in other states than with the rules as they are (which cycles.test.ts holds against judges).
import { readFileSync } from 'node:fs';
import ts from 'typescript5';
import { expect, test, vi } from 'vitest';
import { newSystem, region, task } from '../../../src/linux/system.js';
import { schemes } from '../../../src/schemes/index.js';
import type { AccessName, EdgeName, Shape } from '../../litmus/cycles.js';
import { cycleSystem, edgeNames } from './kernel-cycles.js';

const path = new URL('../../../src/engines/memory/flat-window.ts', import.meta.url);
const source = readFileSync(path, 'utf8');

const W: Shape = { first: 'W', edge: 'po', second: undefined };
const plain: AccessName[] = ['R', 'W'];
const ordered: AccessName[] = ['R', 'W', 'RA', 'WL', 'SwpAL'];
const shapes = (edges: readonly EdgeName[], of: readonly AccessName[]): Shape[] =>
  edges.flatMap((edge) => of.flatMap((first) => of.map((second) => ({ first, edge, second }))));
const strong = shapes(['dmb.sy'], plain);
const swap: Shape = { first: 'Swp', edge: 'po', second: undefined };
/** Two reads of x of which the first one waits for its address, against a store to x. */
function readsBehindAddress(): Test {
  const sys = newSystem(schemes.none);
  const [x, y, out] = [region(sys, 'x'), region(sys, 'y'), region(sys, 'out', 3, 'entries')];
  task(sys, 'P0', 0, function* () {
    const seen: number[] = [];
    seen.push(yield { op: 'read', on: y, mode: 'once' });
    seen.push(yield { op: 'read', on: x, mode: 'once', addr: y });
    seen.push(yield { op: 'read', on: x, mode: 'once' });
    for (const [n, value] of seen.entries())
      yield { op: 'write', on: out + n, value, mode: 'once' };
  });
  task(sys, 'P1', 1, function* () {
    yield { op: 'write', on: x, value: 1, mode: 'once' };
  });
  return { sys, words: [out, out + 1, out + 2] };
}

type Test = ReturnType<typeof cycleSystem>;
/** Two threads over two words, the second as strong as can be; and one word with a store or a swap beside. */
const tests: (() => Test)[] = [
  ...[...shapes(edgeNames, plain), ...shapes(['po'], ordered)].flatMap((s) => [...strong.map((t) => [s, t]), [s, W]]), // biome-ignore format: one line
  ...shapes(['po'], ['R', 'SwpAL', 'Swp']).map((s) => [swap, s]),
].map((cycle) => () => cycleSystem(cycle));
tests.push(readsBehindAddress);

type Engine = Pick<typeof import('../../../src/engines/memory/flat-search.js'), 'searchFlat' | 'wordAt'>; // biome-ignore format: one line

/** The engine, with the rules in `text`. */
async function engine(text: string): Promise<Engine> {
  const compilerOptions = { module: ts.ModuleKind.CommonJS, target: ts.ScriptTarget.ES2022 };
  const rules = {};
  new Function('exports', ts.transpileModule(text, { compilerOptions }).outputText)(rules);
  vi.resetModules();
  vi.doMock('../../../src/engines/memory/flat-window.js', () => rules);
  return import('../../../src/engines/memory/flat-search.js');
}

function states({ searchFlat, wordAt }: Engine, test: () => Test): string {
  const { sys, words } = test();
  const how = { strength: 'arm64', omit: new Set<string>(), eager: true, merge: true } as const;
  const { m, s } = searchFlat(sys, { ...how, maxStates: 1e5, exhaust: true });
  return [...new Set(s.finals.map((id) => words.map((w) => wordAt(m, s, id, w)).join()))].sort().join(';'); // biome-ignore format: one line
}

type Mutant = readonly [rule: string, from: string, to: string];
const acquire = "if ((e.r && e.acquire !== '') || (e.w && e.full)) a.blocksReads = a.blocksWrites = true;"; // biome-ignore format: one line
const held = "  if (mode !== 'dmb ishst') a.blocksReads = true;\n";
const killed: readonly Mutant[] = [
  ['DMB and DSB ISHST wait for stores only', " && !mode.endsWith('ishst')", ''],
  ['DMB and DSB ISHLD wait for reads only', " && !mode.endsWith('ishld')", ''],
  ['a barrier holds stores back', '  a.blocksWrites = true;\n  if', '  if'],
  ['a barrier holds reads back', held, ''],
  ['DMB ISHST holds stores back only', "if (mode !== 'dmb ishst') ", ''],
  ['DSB ISHST holds reads back too', "mode !== 'dmb ishst'", "!mode.endsWith('ishst')"],
  ['an ISB behind a branch holds reads back', "  if (e.kind === 'isb') a.blocksReads = true;\n", ''],
  ['control dependency', 'depends(window, i, e.at) : depends', 'false : depends'],
  ['a store waits for addresses before it', 'depends(window, i, e.addr)) a.control', 'false) a.control'],
  ['an acquire holds stores back', acquire, acquire.replace('a.blocksReads = a.blocksWrites', 'a.blocksReads')],
  ['an acquire holds reads back', acquire, acquire.replace('a.blocksReads = a.blocksWrites', 'a.blocksWrites')],
  ['a full atomic is a barrier behind its store', ' || (e.w && e.full)', ''],
  ['a load-acquire waits for a store-release', '  if (e.w && e.release) a.released = true;\n', ''],
  ['a release waits for reads', '(a.reads || a.writes))) return false', 'a.writes)) return false'],
  ['a release waits for stores', '(a.reads || a.writes))) return false', 'a.reads)) return false'],
  ['address dependency of a read', 'a.blocksReads || depends(window, i, f.addr)', 'a.blocksReads'],
  ['address dependency of a store', 'f.r || depends(window, i, f.addr) || ', 'f.r || '],
  ['data dependency', ' || depends(window, i, f.data)) return false;\n  const a', ') return false;\n  const a'],
  ['a store waits for branches', 'a.blocksWrites || a.control ||', 'a.blocksWrites ||'],
  ['a read sees its own earlier store', "if (e.w) return f.kind !== 'lock' && forwards(window, j, f) ? e : 'wait';", ''],
  ['a read may take its value from a store to come', "forwards(window, j, f) ? e : 'wait'", "false ? e : 'wait'"],
  ['a store whose data is not there gives none', 'depends(window, j, e.addr) || depends(window, j, e.data)', 'depends(window, j, e.addr)'],
  ['a store whose address is not there gives none', 'depends(window, j, e.addr) || depends(window, j, e.data)', 'depends(window, j, e.data)'],
  ['accesses to a word before a store to it', 'isAccess(window[j]!) && meet(window[j]!, f)) return false', 'false) return false'],
  ['two reads of a word read it in order', "    if (e.r && e.kind === 'read' && passed(window, i)) out.push(e.at);\n", ''],
  ['an atomic is one', "(e.kind === 'rmw' || e.kind === 'lock')) out.push", "e.kind === 'lock') out.push"],
]; // biome-ignore format: a table
const survive: readonly (readonly [why: string, ...Mutant])[] = [
  ['it only matters for patched text, which no cycle has', 'an ISB waits for a DSB', "  if (mode.startsWith('dsb')) a.completes = true;\n", ''],
  ['no read that acquires is passed (flat-moves.ts)', 'acquire', acquire, 'if (e.w && e.full) a.blocksReads = a.blocksWrites = true;'],
  ['a read done first keeps the word as it is until the earlier one is done (reserved)', 'two reads of a word in order', "if (f.kind === 'lock' || !depends(window, j, e.addr)) return 'wait';", ''],
]; // biome-ignore format: a table

const tidy = engine(source).then((e) => tests.map((t) => states(e, t)));
const mutate = ([, from, to]: Mutant): string => source.replace(from, () => to);
async function differs(m: Mutant): Promise<boolean> {
  expect(source.split(m[1])).toHaveLength(2);
  const [right, changed] = [await tidy, await engine(mutate(m))];
  return tests.some((t, i) => states(changed, t) !== right[i]);
}

test.each(killed)(
  'killed: %s',
  async (...m) => {
    expect(await differs(m)).toBe(true);
  },
  120_000,
);

test.each(survive)(
  'survives, since %s: %s',
  async (_, ...m) => {
    expect(await differs(m)).toBe(false);
  },
  120_000,
);

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseLitmus } from '../../src/litmus/parse.js';
import { type MemoryModel, runLitmus } from '../../src/litmus/run.js';

/** A two-thread test in the usual form: x and y in X1 and X3. */
const two = (name: string, p0: string[], p1: string[], condition: string): string => {
  const rows = Array.from(
    { length: Math.max(p0.length, p1.length) },
    (_, i) => ` ${p0[i] ?? ''} | ${p1[i] ?? ''} ;`,
  );
  return [
    `AArch64 ${name}`,
    '{ 0:X1=x; 0:X3=y; 0:X5=z; 1:X1=x; 1:X3=y; 1:X5=z; }',
    ' P0 | P1 ;',
    ...rows,
    condition,
  ].join('\n');
};
const observation = (text: string, model: MemoryModel): string =>
  runLitmus(parseLitmus('t', text), model).observation;

const writeBoth = (fence: string[], second = 'STR W2,[X3]'): string[] => [
  'MOV W0,#1', 'STR W0,[X1]', ...fence, 'MOV W2,#1', second,
]; // biome-ignore format: one line
const mp = (name: string, writer: string[], reader: string[]): string =>
  two(name, writer, reader, 'exists (1:X0=1 /\\ 1:X2=0)');
const sb = (fence: string[]): string => {
  const p = (a: string, b: string): string[] => ['MOV W0,#1', `STR W0,[${a}]`, ...fence, `LDR W2,[${b}]`]; // biome-ignore format: one line
  return two('SB', p('X1', 'X3'), p('X3', 'X1'), 'exists (0:X2=0 /\\ 1:X2=0)');
};
const lb = (middle: string[], value = 'W2'): string => {
  const p = (a: string, b: string): string[] => [`LDR W0,[${a}]`, 'MOV W2,#1', ...middle, `STR ${value},[${b}]`]; // biome-ignore format: one line
  return two('LB', p('X1', 'X3'), p('X3', 'X1'), 'exists (0:X0=1 /\\ 1:X0=1)');
};

// Verdicts as the Arm architecture gives them: [test, sc, tso, arm64], true where the weak outcome is allowed.
const known: readonly (readonly [string, string, boolean, boolean, boolean])[] = [
  ['MP', mp('MP', writeBoth([]), ['LDR W0,[X3]', 'LDR W2,[X1]']), false, false, true],
  ['MP+dmb.st+addr', mp('a', writeBoth(['DMB ST']), ['LDR W0,[X3]', 'EOR W4,W0,W0', 'LDR W2,[X1,W4,SXTW]']), false, false, false],
  ['MP+dmb.st+ctrl', mp('c', writeBoth(['DMB ST']), ['LDR W0,[X3]', 'CBZ W0,L', 'L: LDR W2,[X1]']), false, false, true],
  ['MP+dmb.st+ctrl-isb', mp('i', writeBoth(['DMB ST']), ['LDR W0,[X3]', 'CBZ W0,L', 'L: ISB', 'LDR W2,[X1]']), false, false, false],
  ['MP+rel+acq', mp('ra', writeBoth([], 'STLR W2,[X3]'), ['LDAR W0,[X3]', 'LDR W2,[X1]']), false, false, false],
  ['MP+rel+acqpc', mp('rq', writeBoth([], 'STLR W2,[X3]'), ['LDAPR W0,[X3]', 'LDR W2,[X1]']), false, false, false],
  ['MP+dmb.ld+dmb.ld', mp('l', writeBoth(['DMB LD']), ['LDR W0,[X3]', 'DMB LD', 'LDR W2,[X1]']), false, false, true],
  ['MP+nsh', mp('n', writeBoth(['DMB NSH']), ['LDR W0,[X3]', 'DMB NSH', 'LDR W2,[X1]']), false, false, true],
  ['SB', sb([]), false, true, true],
  ['SB+dmb.ish', sb(['DMB ISH']), false, false, false],
  ['SB+dmb.ishst', sb(['DMB ISHST']), false, true, true],
  ['SB+dsb.ishst', sb(['DSB ISHST']), false, false, false],
  ['LB', lb([]), false, false, true],
  ['LB+datas', lb(['EOR W4,W0,W0', 'ADD W5,W4,#1'], 'W5'), false, false, false],
  ['LB+ctrls', lb(['CBNZ W0,L', 'L:']), false, false, false],
  ['LB+addr-of-a-store-po', lb(['EOR W6,W0,W0', 'STR W2,[X5,W6,SXTW]']), false, false, false],
  ['LB+addr-of-a-load-po', lb(['EOR W6,W0,W0', 'LDR W7,[X5,W6,SXTW]']), false, false, false],
  ['LB+picked-addr-po', lb(['CMP W0,#1', 'CSEL W6,WZR,WZR,EQ', 'LDR W7,[X5,W6,SXTW]']), false, false, false],
  ['LB+csel', lb(['CMP W0,#1', 'CSEL W5,W2,W2,EQ'], 'W5'), false, false, false],
]; // biome-ignore format: a table

test.each(known)('%s', (_name, text, sc, tso, arm64) => {
  const seen = (m: MemoryModel): boolean => observation(text, m) === 'Sometimes';
  expect([seen('sc'), seen('tso'), seen('arm64')]).toEqual([sc, tso, arm64]);
});

test('a CSEL orders a later load only through the operand it picks', () => {
  const reader = (pick: string): string[] => [
    'LDR W0,[X3]', 'EOR W4,W0,W0', 'MOV W5,#0', 'CMP W0,#1', pick, 'LDR W2,[X1,W6,SXTW]',
  ]; // biome-ignore format: one line
  const by = (pick: string): string =>
    observation(mp('csel', writeBoth(['DMB SY']), reader(pick)), 'arm64');
  expect(by('CSEL W6,W4,W5,EQ')).toBe('Never');
  expect(by('CSEL W6,W5,W4,EQ')).toBe('Sometimes');
});

test('atomics: two adds never lose one; an exclusive may fail, and says so', () => {
  const add = ['MOV W0,#1', 'LDADD W0,W2,[X1]'];
  const r = runLitmus(parseLitmus('t', two('add', add, add, 'forall ([x]=2)')), 'arm64');
  expect([r.verdict, r.observation, r.states]).toEqual(['Require', 'Always', ['[x]=2;']]);
  const excl = ['LDXR W0,[X1]', 'ADD W2,W0,#1', 'STXR W4,W2,[X1]'];
  const condition = 'exists (0:X4=0 /\\ 1:X4=0 /\\ x=1)';
  const e = runLitmus(parseLitmus('t', two('excl', excl, excl, condition)), 'arm64');
  expect(e.observation).toBe('Never');
  expect(e.states).toContain('0:X4=1; 1:X4=1; [x]=0;');
  expect(e.states).toContain('0:X4=0; 1:X4=0; [x]=2;');
});

test('the result of an atomic that is thrown away makes it no acquire', () => {
  const reader = (dst: string): string[] => ['MOV W4,#0', `LDADDA W4,${dst},[X3]`, 'LDR W2,[X1]'];
  const text = (dst: string): string =>
    two('stadd', writeBoth(['DMB SY']), reader(dst), 'exists (y=1 /\\ 1:X2=0 /\\ 1:X5=1)');
  expect(observation(text('W5'), 'arm64')).toBe('Never');
  const thrown = two('t', writeBoth(['DMB SY']), ['MOV W4,#2', 'LDADDA W4,WZR,[X3]', 'LDR W2,[X1]'], 'exists (y=3 /\\ 1:X2=0)'); // biome-ignore format: one line
  expect(observation(thrown, 'arm64')).toBe('Sometimes');
});

test('states are in the order and form of herd7', () => {
  const text = `AArch64 form "what it is about"
{ int x=-1; uint64_t a[2]={1,2}; 0:X1=x; 0:X3=a; int *p=&x; 0:X5=p; uint64_t 0:X7; uint8_t b; P0:X9=b; }
P0 ;
LDR W2,[X1] ;
LDR X10,[X3,#8] ;
LDR X6,[X5] ;
MOV X7,#-1 ;
MOV X8,X7 ;
STRB W7,[X9] ;
ADD X11,X1,#4 ;
locations [0:X10; 0:X7; P0:X8 int; x; a; a[1]; b; 0:X11]
exists (0:X2=0xffffffff /\\ ~(0:X6=0 \\/ x=0) /\\ a={1,2} /\\ [x]=0:X2)`;
  const r = runLitmus(parseLitmus('t', text), 'arm64');
  expect(r.states).toEqual([
    '0:X2=-1; 0:X6=x; 0:X7=18446744073709551615; 0:X8=-1; 0:X10=2; 0:X11=x+4; a={1,2}; [b]=255; [x]=-1; a[1]=2;',
  ]); // biome-ignore format: one line
  expect([r.name, r.verdict]).toEqual(['form', 'Allow']);
});

test('what a filter names is not shown, and what it forbids is not counted', () => {
  const text = two('f', writeBoth([]), ['LDR W0,[X3]', 'LDR W2,[X1]'], 'filter 1:X0=1\nforall 1:X2=1;');
  const r = runLitmus(parseLitmus('t', text), 'arm64');
  expect([r.states, r.verdict, r.observation]).toEqual([['1:X2=0;', '1:X2=1;'], 'Allow', 'Sometimes']);
  const sc = runLitmus(parseLitmus('t', text), 'sc');
  expect([sc.states, sc.verdict, sc.observation]).toEqual([['1:X2=1;'], 'Require', 'Always']);
}); // biome-ignore format: calls on one line

test('=> binds tighter than /\\, /\\ than \\/, and ~ tightest; all as for herd7', () => {
  const truth = (condition: string): boolean =>
    observation(`AArch64 t\n{ 0:X0=1; }\nP0 ;\nNOP ;\nexists ${condition}`, 'sc') === 'Always';
  const [t, f] = ['0:X0=1', '0:X0=0'];
  expect(truth(`${f} /\\ ${f} => ${f}`)).toBe(false); // f /\ (f => f), not (f /\ f) => f
  expect(truth(`${t} \\/ ${t} => ${f}`)).toBe(true); // t \/ (t => f)
  expect(truth(`${f} => ${t} => ${f}`)).toBe(true); // f => (t => f)
  expect(truth(`~${f} /\\ ${t}`)).toBe(true);
  expect(truth(`not ${t} \\/ ${t}`)).toBe(true);
  expect(truth(`${t} \\/ ${f} /\\ ${f}`)).toBe(true);
});

test('a test without a condition asks for nothing', () => {
  const r = runLitmus(parseLitmus('t', 'AArch64 t\n{}\nP0;\nNOP;\n'), 'sc');
  expect([r.quantifier, r.verdict, r.states]).toEqual(['forall', 'Require', ['']]);
  const l = runLitmus(parseLitmus('t', 'AArch64 t\n{}\nP0;\nMOV W3,#7;\nlocations [0:X3;]'), 'sc');
  expect(l.states).toEqual(['0:X3=7;']);
}); // biome-ignore format: calls on one line

test('a spin that never ends is cut off, and said to be', () => {
  const r = runLitmus(
    parseLitmus('t', two('spin', ['L: LDAR W0,[X1]', 'CBZ W0,L'], ['MOV W0,#1', 'STLR W0,[X1]'], 'exists (0:X0=0)')),
    'arm64',
  ); // biome-ignore format: one line
  expect(r.cutOff).toMatch(/more than 2 times/);
  expect(r.states).toEqual(['0:X0=1;']);
});

// A script over other people's tests: PTLAB_SHARED is a folder with litmus/verdicts.json and the files beside it.
const shared = process.env['PTLAB_SHARED'];
test.skipIf(!shared)('all of PTLAB_SHARED/litmus (skipped: PTLAB_SHARED is not set)', () => {
  const folder = join(shared!, 'litmus');
  const { tests } = JSON.parse(readFileSync(join(folder, 'verdicts.json'), 'utf8'));
  const files = readdirSync(folder).filter((f) => f.endsWith('.litmus'));
  expect(files.length).toBe(tests.length);
  for (const t of tests) {
    const text = readFileSync(join(folder, `${t.name}.litmus`), 'utf8');
    const test = parseLitmus(t.name, text);
    const { quantifier, verdict, states, ...r } = runLitmus(test, 'arm64');
    expect([t.name, quantifier, verdict, r.observation, states]).toEqual([t.name, t.quantifier, t.verdict, t.observation, t.states]); // biome-ignore format: one line
    const weak = new Set(states);
    const middle = new Set(runLitmus(test, 'tso').states);
    for (const s of runLitmus(test, 'sc').states) expect(middle).toContain(s);
    for (const s of middle) expect(weak).toContain(s);
  }
});

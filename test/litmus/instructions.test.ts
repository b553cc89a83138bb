// What single instructions compute, by the Arm architecture's definitions; and how loops are bounded.
import { expect, test } from 'vitest';
import { parseLitmus } from '../../src/litmus/parse.js';
import { runLitmus } from '../../src/litmus/run.js';

/** X0 after `code`, as an unsigned number; X1 to X3 and W4 start as given. */
function result(code: string, x1 = 0n, x2 = 0n, x0 = 0n): bigint {
  const text = `AArch64 t
{ uint64_t 0:X0=${x0}; 0:X1=${x1}; 0:X2=${x2}; uint64_t x; 0:X9=x; }
P0 ;
${code.split('; ').join(' ;\n')} ;
locations [0:X0;]`;
  const [state] = runLitmus(parseLitmus('t', text), 'arm64').states;
  return BigInt(/^0:X0=(\d+);$/.exec(state!)![1]!);
}

const minus = (n: number): bigint => 2n ** 64n - BigInt(n);
const computed: readonly [string, bigint, bigint, bigint, bigint][] = [
  ['UBFX W0,W1,#4,#8', 0xabcd1234n, 0n, 0n, 0x23n],
  ['SBFX X0,X1,#4,#8', 0x800n, 0n, 0n, minus(128)],
  ['UBFIZ W0,W1,#4,#8', 0x1ffn, 0n, 0n, 0xff0n],
  ['SBFIZ X0,X1,#4,#4', 0x8n, 0n, 0n, minus(128)],
  ['BFI W0,W1,#4,#8', 0n, 0n, 0xffffn, 0xf00fn],
  ['BFXIL W0,W1,#4,#8', 0xabcn, 0n, 0xff00n, 0xffabn],
  ['UBFM W0,W1,#28,#3', 0xffn, 0n, 0n, 0xf0n],
  ['SBFM X0,X1,#0,#7', 0x80n, 0n, 0n, minus(128)],
  ['BFM X0,X1,#60,#3', 0xfn, 0n, 0xff00n, 0xfff0n],
  ['REV W0,W1', 0x01020304n, 0n, 0n, 0x04030201n],
  ['REV16 W0,W1', 0x01020304n, 0n, 0n, 0x02010403n],
  ['REV32 X0,X1', 0x0102030405060708n, 0n, 0n, 0x0403020108070605n],
  ['RBIT W0,W1', 1n, 0n, 0n, 0x80000000n],
  ['CLZ W0,W1', 0x10n, 0n, 0n, 27n],
  ['CLZ X0,X1', 0n, 0n, 0n, 64n],
  ['MADD W0,W1,W2,W1', 3n, 5n, 0n, 18n],
  ['MSUB X0,X1,X2,X1', 3n, 5n, 0n, minus(12)],
  ['MNEG X0,X1,X2', 3n, 5n, 0n, minus(15)],
  ['UMULL X0,W1,W2', 0xffffffffn, 2n, 0n, 0x1fffffffen],
  ['SMULL X0,W1,W2', 0xffffffffn, 2n, 0n, minus(2)],
  ['SMADDL X0,W1,W2,X1', 0xffffffffn, 2n, 0n, 0xfffffffdn],
  ['UDIV W0,W1,W2', 7n, 2n, 0n, 3n],
  ['UDIV W0,W1,W2', 7n, 0n, 9n, 0n],
  ['SDIV X0,X1,X2', minus(7), 2n, 0n, minus(3)],
  ['LSLV W0,W1,W2', 3n, 33n, 0n, 6n],
  ['NEGS X0,X1; CINC X0,X0,MI', 1n, 0n, 0n, 0n],
  ['CMP X1,X1; ADC X0,X1,X2', 5n, 7n, 0n, 13n],
  ['CMP X1,X2; SBC X0,X1,X2', 5n, 7n, 0n, minus(3)],
  ['CMP X1,X2; NGC X0,X1', 5n, 7n, 0n, minus(6)],
  ['ADDS X3,X1,X1; ADCS X0,X1,XZR; CINC X0,X0,EQ', 1n << 63n, 0n, 0n, (1n << 63n) + 1n],
  ['CMN X1,X1; ADCS X0,X1,X1; CSET X0,CS', 1n << 63n, 0n, 0n, 1n],
  ['CMP X1,X1; MRS X0,NZCV', 5n, 0n, 0n, 0x60000000n],
  ['MSR NZCV,X1; CSET X0,VS', 0x10000000n, 0n, 0n, 1n],
  ['CMP X1,X2; BNE L; MOV X0,#1; L:', 5n, 7n, 0n, 0n],
]; // biome-ignore format: a table

test.each(computed)('%s', (code, x1, x2, x0, want) => {
  expect(result(code, x1, x2, x0)).toBe(want);
});

test('hints, prefetches and maintenance of caches and TLBs change nothing', () => {
  const none = ['YIELD', 'WFE', 'SEV', 'CSDB', 'BTI', 'BTI jc', 'PRFM PLDL1KEEP,[X9,#8]', 'DC CVAU,X9', 'IC IVAU,X9', 'IC IALLU', 'TLBI VMALLE1IS', 'TLBI VAAE1IS,X9', 'CLREX #15']; // biome-ignore format: a list
  expect(result(none.join('; '), 0n, 0n, 5n)).toBe(5n);
  for (const bad of ['DC ZVA', 'DC IVAC', 'TLBI FOO'])
    expect(() => result(`${bad},X9`)).toThrow(`'${bad}' is not supported`);
});

/** Final values of X5, a counter, of one thread that runs beside stores of 1 to x and y. */
const counted = (code: string[], model: 'sc' | 'tso' | 'arm64') => {
  const other = ['STR W0,[X1]', 'STR W0,[X4]'];
  const rows = code.map((l, i) => `${l} | ${other[i] ?? ''} ;`).join('\n');
  const text = `AArch64 t\n{ 0:X1=x; 1:X1=x; 0:X4=y; 1:X4=y; 1:X0=1; }\nP0 | P1 ;\n${rows}\nlocations [0:X5;]`;
  const { states, cutOff } = runLitmus(parseLitmus('t', text), model);
  return { rounds: states.map((s) => Number(/X5=(\d+)/.exec(s)![1])), cutOff: cutOff !== undefined };
}; // biome-ignore format: one line

test.each(['sc', 'tso', 'arm64'] as const)('%s: a loop is bounded by its target, as for herd7', (model) => {
  const once = ['L: ADD W5,W5,#1', 'LDR W2,[X1]', 'CBZ W2,L'];
  expect(counted(once, model)).toEqual({ rounds: [1, 2, 3], cutOff: true });
  // Two ways back to one label: two rounds in all, not two of each.
  const twice = [...once, 'LDR W3,[X4]', 'CBZ W3,L'];
  expect(counted(twice, model)).toEqual({ rounds: [1, 2, 3], cutOff: true });
  // What reads no memory has one course only.
  const settled = ['L: ADD W5,W5,#1', 'LDR W2,[X1]', 'CMP W5,#20', 'B.NE L'];
  expect(counted(settled, model)).toEqual({ rounds: [20], cutOff: false });
}); // biome-ignore format: one line

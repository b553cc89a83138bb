import { expect, test } from 'vitest';
import { BadAccess } from '../../src/engines/memory/program.js';
import { parseLitmus } from '../../src/litmus/parse.js';
import { runLitmus } from '../../src/litmus/run.js';

const file = (init: string, code: string, tail = 'exists (0:X0=0)'): string =>
  `AArch64 t\n{ ${init} }\nP0 ;\n${code} ;\n${tail}\n`;

// What is wrong, and where: file:line:column. Never a verdict.
const bad: readonly (readonly [string, string, RegExp])[] = [
  ['another architecture', 'X86 t\n{ }\nP0 ;\nNOP ;\nexists (true)', /^f:1:1: tests for 'X86' are not supported: expected 'AArch64 NAME'/],
  ['a variant', 'AArch64 t\nVariant=Ifetch\n{ }\nP0 ;\nNOP ;\nexists (true)', /^f:2:1: 'Variant=Ifetch'.*not supported/],
  ['no name', 'AArch64\n{ }\nP0 ;\nNOP ;\nexists (true)', /^f:1:1: expected 'AArch64 NAME'/],
  ['an unknown instruction', file('0:X1=x;', 'LDXP X0,X2,[X1]'), /^f:4:1: instruction 'LDXP' is not supported/],
  ['an acquire where there is none', file('0:X1=x;', 'STADDA W0,[X1]'), /^f:4:1: instruction 'STADDA'/],
  ['a barrier that does not exist', file('', 'DMB FOO'), /^f:4:5: barrier 'DMB FOO'/],
  ['a vector register', file('0:X1=x;', 'LDR Q0,[X1]'), /^f:4:5: register 'Q0' is not supported/],
  ['instructions as values', file('0:X3=instr:"NOP";', 'NOP'), /^f:2:8: 'instr:' values/],
  ['labels as values', file('0:X3=P0:L;', 'L: NOP'), /^f:2:8: 'P0:' values/],
  ['a jump to nowhere', file('', 'B away'), /^f:4:3: there is no label 'away'/],
  ['a location nobody made', file('', 'NOP', 'exists (x=1)'), /^f:5:9: location 'x' is not in the init block/],
  ['a thread that is not there', file('1:X0=1;', 'NOP'), /^f:2:5: there is no thread P1/],
  ['faults in conditions', file('x=0;', 'NOP', 'exists (fault(P0,x))'), /^f:5:9: 'fault\(\.\.\.\)'/],
  ['a tagged location', file('x:green=1;', 'NOP'), /^f:2:3: tagged locations/],
  ['a page table entry', file('PTE(x)=(oa:PA(x));', 'NOP'), /^f:2:3: 'PTE\(\.\.\.\)'/],
  ['a page table value', file('x=(valid:0);', 'NOP'), /^f:2:5: page table values/],
  ['a page table entry in brackets', file('[PTE(x)]=(oa:PA(x));', 'NOP'), /^f:2:4: 'PTE\(\.\.\.\)'/],
  ['a page table value in a register', file('0:X1=(oa:PA(x));', 'NOP'), /^f:2:8: page table values/],
  ['a fault handler', 'AArch64 t\n{ }\nP0 | P0.F ;\nNOP | NOP ;\nexists (true)', /^f:3:6: 'P0.F': fault handlers/],
  ['a store of the cache', file('0:X1=x;', 'DC ZVA,X1'), /^f:4:4: 'DC ZVA'/],
  ['an address of code', file('', 'ADR X1,L ;\nL: NOP'), /^f:4:1: instruction 'ADR'/],
  ['a call', file('', 'BL L ;\nL: NOP'), /^f:4:1: instruction 'BL'/],
  ['a register of the system', file('', 'MRS X1,ESR_EL1'), /^f:4:8: system register 'ESR_EL1'/],
  ['an instruction in memory', file('x=NOP;', 'NOP'), /^f:2:5: instructions as values/],
  ['a symbolic register', file('0:%a=x;', 'NOP'), /^f:2:5: symbolic registers/],
  ['a register twice', file('0:X1=1; 0:W1=2;', 'NOP'), /^f:2:13: register 0:X1 stands twice/],
  ['an array without a type', file('a[2]={1,2};', 'NOP'), /^f:2:3: array 'a' needs a type/],
  ['an array of another length', file('int a[2]={1};', 'NOP'), /^f:2:7: 'a' has 2 elements, not 1/],
  ['an array as a number', file('int a[2];', 'NOP', 'exists (a=1)'), /^f:5:9: 'a' has 2 elements, not 1/],
  ['an element of no array', file('int x;', 'NOP', 'exists (x[0]=1)'), /^f:5:9: 'x' is not an array/],
  ['an element too many', file('int a[2];', 'NOP', 'exists (a[2]=1)'), /^f:5:9: 'a' has no element 2/],
  ['observed', file('', 'NOP', 'observed 0:X0=1;'), /^f:5:1: expected exists, ~exists or forall/],
  ['model-dependent verdicts', file('', 'NOP', 'exists (true) with sc: forall'), /^f:5:15: expected the end of the file/],
  ['no condition, but rubbish', file('', 'NOP', 'LDR'), /^f:5:1: expected a row of instructions/],
  ['a comment without end', `(* ${file('', 'NOP')}`, /^f:1:1: a comment/],
  ['an open init block', 'AArch64 t\n{ x=1;\nP0 ;', /^f:2:1: the init block \{ is never closed/],
  ['two sizes of one location', file('0:X1=x;', 'LDR W0,[X1] ;\nLDR X2,[X1]'), /'x' is accessed in several sizes/],
  ['rubbish behind operands', file('', 'MOV W0,#1 W2'), /^f:4:11: expected the end of 'MOV'/],
]; // biome-ignore format: a table

test.each(bad)('%s', (_what, text, message) => {
  expect(() => parseLitmus('f', text)).toThrow(message);
});

test('an access of another size, or to nowhere, has no verdict either', () => {
  const wide = parseLitmus('f', file('uint64_t x; 0:X1=x;', 'LDR W0,[X1]'));
  expect(() => runLitmus(wide, 'arm64')).toThrow(BadAccess);
  const wild = parseLitmus('f', file('0:X1=8;', 'LDR W0,[X1]'));
  for (const model of ['sc', 'tso', 'arm64'] as const)
    expect(() => runLitmus(wild, model)).toThrow(/0x8, where no location lies/);
});

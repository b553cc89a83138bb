import { expect, test } from 'vitest';
import { BadAccess } from '../../src/engines/memory/program.js';
import { parseLitmus } from '../../src/litmus/parse.js';
import { runLitmus } from '../../src/litmus/run.js';

const file = (init: string, code: string, tail = 'exists (0:X0=0)'): string =>
  `AArch64 t\n{ ${init} }\nP0 ;\n${code} ;\n${tail}\n`;

// What is wrong, and where: file:line:column. Never a verdict.
const bad: readonly (readonly [string, string, RegExp])[] = [
  ['another architecture', 'X86 t\n{ }\nP0 ;\nNOP ;\nexists (true)', /^f:1:1: expected 'AArch64 NAME'/],
  ['a variant', 'AArch64 t\nVariant=Ifetch\n{ }\nP0 ;\nNOP ;\nexists (true)', /^f:2:1: 'Variant=Ifetch'.*not supported/],
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
  ['no condition', file('', 'NOP', ''), /expected exists, ~exists or forall/],
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

import { readFile } from 'node:fs/promises';
import { BadAccess, TooLarge } from '../engines/memory/program.js';
import type { LitmusTest } from '../litmus/model.js';
import { parseLitmus } from '../litmus/parse.js';
import { type LitmusResult, type MemoryModel, memoryModels, runLitmus } from '../litmus/run.js';
import { LitmusError } from '../litmus/source.js';
import { byName, type Command, UserError } from './command.js';

/** One element of the JSON answer: a result with its time, or the reason why there is none. */
type Row =
  | (Omit<LitmusResult, 'nodes'> & { readonly ms: number })
  | { readonly name: string; readonly error: string };

async function load(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (e) {
    throw new UserError(`cannot read ${file}: ${(e as Error).message}`);
  }
}

function runOne(file: string, text: string, model: MemoryModel, unroll: number): Row {
  let test: LitmusTest | undefined;
  try {
    const began = performance.now();
    test = parseLitmus(file, text, unroll);
    const { nodes: _, ...result } = runLitmus(test, model);
    return { ...result, ms: Math.round((performance.now() - began) * 1000) / 1000 };
  } catch (e) {
    if (e instanceof LitmusError) return { name: file, error: e.message };
    if (e instanceof BadAccess)
      return { name: file, error: `${test!.where(e.who, e.pc)}: ${e.message}` };
    if (!(e instanceof TooLarge)) throw e;
    return { name: file, error: `${file}: ${e.message}` };
  }
}

const ascii = (s: string): string => s.replace(/[^\x20-\x7e]/g, '?');

function fold(line: string): string[] {
  const words = ascii(line).split(' ');
  const lines = [''];
  for (const w of words) {
    const last = lines[lines.length - 1]!;
    if (last !== '' && last.length + 1 + w.length > 72) lines.push(`  ${w}`.slice(0, 72));
    else lines[lines.length - 1] = last === '' ? w.slice(0, 72) : `${last} ${w}`;
  }
  return lines;
}

function print(r: Row): string {
  if ('error' in r) return fold(`error: ${r.error}`).join('\n');
  return [
    `Test ${r.name} ${r.verdict}`,
    `States ${r.nstates}`,
    ...r.states,
    `Observation ${r.name} ${r.observation}`,
    ...(r.cutOff ? [`Cut off: ${r.cutOff}`] : []),
  ]
    .flatMap(fold)
    .join('\n');
}

/** `ptlab litmus`: every final state of AArch64 litmus tests under a memory model. */
export const litmus: Command = {
  args: '<files...>',
  about: 'Run AArch64 .litmus files under SC, TSO or the Arm memory model.',
  options: [
    ['--memory <model>', 'sc, tso or arm64 (Promising-ARM)', 'arm64'],
    ['--unroll <n>', 'how often a thread may take a backward branch', '2'],
  ],
  examples: [
    'ptlab litmus MP+dmb.sy+addr.litmus',
    'ptlab litmus tests/*.litmus --memory tso --json',
  ],
  async run(files, options) {
    const wanted = String(options['memory']);
    byName('memory model', memoryModels, wanted);
    const unroll = Number(options['unroll']);
    if (!Number.isInteger(unroll) || unroll < 0 || unroll > 100)
      throw new UserError(`--unroll must be 0 to 100, not '${options['unroll']}'`);
    const rows: Row[] = [];
    for (const file of files)
      rows.push(runOne(file, await load(file), wanted as MemoryModel, unroll));
    const failed = rows.some((r) => 'error' in r);
    return { json: rows, text: rows.map(print).join('\n\n'), status: failed ? 1 : 0 };
  },
};

// A scenario's core as an AArch64 litmus test, for herd7. What a schedule means there: locks are single atomics whose
// success the condition demands (a waiter that waits adds nothing), the free is a store of poison to the table, a static
// key a plain flag, TLBI nothing. Registers hold what the model's steps read; dependencies are written out.
import type { Lock, Step, TryLock } from '../linux/step.js';
import type { System } from '../linux/system.js';
import { addressOf, asked, constant, keep, newThread, operand, READER, register, type Thread } from './aarch64-thread.js'; // biome-ignore format: one line
import {
  anyPoisoned,
  type Case,
  POISON,
  remarks,
  title,
  type Writer,
  word,
  wrapped,
  writeTree,
} from './export-tree.js';
import { type Tree, trees } from './tree.js';

/** A reader adds itself and sees whether a writer was there, a writer swaps the free word for his: `busy` is 0 if it was. */
function swapLock(t: Thread, at: string, mode: Lock['mode'], busy: number): void {
  if (mode === 'read') {
    const old = register(t);
    t.lines.push(`LDADDA W${constant(t, String(READER))},W${old},${at}`, `AND W${busy},W${old},#1`);
    return;
  }
  if (!t.init.some(([r]) => r === busy)) t.init.push([busy, '0']);
  t.lines.push(`CASA W${busy},W${constant(t, '1')},${at}`);
}

/** Try a lock: a register that is 0 if it was got; a reader who was too late takes himself back. */
function tryLock(t: Thread, sys: System, step: TryLock): number {
  const at = `[X${addressOf(t, word(sys, step.on))}]`;
  const busy = keep(t);
  swapLock(t, at, step.mode, busy);
  if (step.mode === 'read') {
    const label = `L${t.n}${t.labels++}`;
    const back = `STADD W${constant(t, String(-READER))},${at}`;
    t.lines.push(`CBZ W${busy},${label}`, back, `${label}:`);
  }
  return busy;
}

function keyStep(t: Thread, sys: System, step: Extract<Step, { op: 'key' }>): void {
  const at = `[X${addressOf(t, word(sys, step.on))}]`;
  if (step.mode === 'inc' || step.mode === 'dec') {
    const by = constant(t, step.mode === 'inc' ? '1' : '-1');
    t.lines.push(`LDADDAL W${by},W${register(t)},${at}`, 'DSB ISH');
  } else {
    const value = step.mode === 'enable' ? `W${constant(t, '1')}` : 'WZR';
    t.lines.push('DSB ISH', `STR ${value},${at}`, 'DSB ISH');
  }
}

function read(t: Thread, sys: System, step: Extract<Step, { op: 'read' }>): number {
  const from = operand(t, sys, step.on, step.addr);
  t.last.delete(step.on);
  const r = sys.owner[step.on] === 0 ? register(t) : asked(t, t.tables);
  t.lines.push(`${step.mode === 'acquire' ? 'LDAR' : 'LDR'} X${r},${from}`);
  t.last.set(step.on, r);
  return r;
}

const store = { plain: 'STR', once: 'STR', release: 'STLR' } as const;

/**
 * The instructions of one step; the register its result is in, if a branch may ask for it.
 * @throws RangeError naming a step that has no place in an AArch64 test.
 */
function instruction(t: Thread, sys: System, step: Step): number | undefined {
  switch (step.op) {
    case 'read':
      return read(t, sys, step);
    case 'write': {
      const value = step.value === 0 ? 'XZR' : `X${constant(t, String(step.value))}`;
      const to = operand(t, sys, step.on, step.addr);
      t.lines.push(`${store[step.mode]} ${value},${to}`);
      return undefined;
    }
    case 'free': {
      const value = constant(t, String(POISON));
      t.lines.push(`STR X${value},${operand(t, sys, step.on, step.addr)}`);
      return undefined;
    }
    case 'fence':
      t.lines.push(step.mode.toUpperCase());
      return undefined;
    case 'lock':
      swapLock(t, `[X${addressOf(t, word(sys, step.on))}]`, step.mode, asked(t, t.zero));
      return undefined;
    case 'trylock':
      return tryLock(t, sys, step);
    case 'unlock': {
      const by = constant(t, String(step.mode === 'read' ? -READER : -1));
      t.lines.push(`STADDL W${by},[X${addressOf(t, word(sys, step.on))}]`);
      return undefined;
    }
    case 'key':
      keyStep(t, sys, step);
      return undefined;
    case 'text': {
      if (step.mode === 'patch') break;
      t.last.delete(step.on);
      const r = register(t);
      t.lines.push(`LDR W${r},[X${addressOf(t, word(sys, step.on))}]`);
      t.last.set(step.on, r);
      return r;
    }
    case 'branch': {
      const r = t.last.get(step.on);
      const label = `L${t.n}${t.labels++}`;
      if (r !== undefined) t.lines.push(`CBNZ X${r},${label}`, `${label}:`);
      return undefined;
    }
    case 'tlbi':
    case 'forget':
    case 'might-sleep':
    case 'context':
    case 'work':
    case 'trace':
      return undefined;
  }
  throw new RangeError(`an AArch64 litmus test has no '${step.op}' (${step.by ?? 'unnamed'})`);
}

/** Jump to `label` unless the register says `result`. */
function unless(t: Thread, step: Step, r: number, result: number, label: string): void {
  if (step.op === 'trylock') t.lines.push(`${result === 1 ? 'CBNZ' : 'CBZ'} W${r},${label}`);
  else if (step.op === 'text') t.lines.push(`${result === 1 ? 'CBZ' : 'CBNZ'} W${r},${label}`);
  else if (result === 0) t.lines.push(`CBNZ X${r},${label}`);
  else t.lines.push(`CMP X${r},#${result}`, `B.NE ${label}`);
}

/** A thread's code; every case of a choice but the last jumps to `end`. */
function writer(t: Thread, sys: System, end: string): Writer<number> {
  return {
    last: t.last,
    step: (step) => instruction(t, sys, step),
    choose(step, r, cases: readonly Case[]) {
      const [tables, zero] = [t.tables.used, t.zero.used];
      cases.forEach((c, i) => {
        [t.tables.used, t.zero.used] = [tables, zero];
        const label = `L${t.n}${t.labels++}`;
        const others = i < cases.length - 1;
        if (others) unless(t, step, r, c.result, label);
        c.write();
        if (others) t.lines.push(`B ${end}`, `${label}:`);
      });
    },
  };
}

const LEGEND = `A table holds ${POISON} once it is freed. A lock is taken by one atomic, and runs in which it was not got \
do not count. A static key is a plain flag: what patching its text and interrupting the CPUs orders beyond that is not here.`;

function thread(sys: System, n: number, tree: Tree): Thread {
  const t = newThread(n);
  const end = `E${n}`;
  writeTree(writer(t, sys, end), tree);
  if (t.lines.some((l) => l.endsWith(` ${end}`))) t.lines.push(`${end}:`);
  return t;
}

function table(threads: readonly Thread[]): string {
  const columns = threads.map((t) => [`P${t.n}`, ...t.lines]);
  const height = Math.max(...columns.map((c) => c.length));
  const wide = columns.map((c) => Math.max(...c.map((l) => l.length)));
  const line = (i: number): string => ` ${columns.map((c, k) => (c[i] ?? '').padEnd(wide[k]!)).join(' | ')} ;`; // biome-ignore format: one line
  return Array.from({ length: height }, (_, i) => line(i)).join('\n');
}

/** 'uint64_t pmd_0=91;': locks and keys are 32 bits wide, as their atomics are. */
function declaration(sys: System, name: string): string {
  for (const r of sys.regions)
    for (let at = r.base; at < r.base + r.size; at++)
      if (word(sys, at) === name)
        return `uint${r.kind === 'lock' || r.kind === 'text' ? 32 : 64}_t ${name}=${sys.cells[at]};`;
  throw new RangeError(`nothing is called ${name}`);
}

/**
 * `sys` as an AArch64 litmus test called `name`: its condition holds in a run that ends in a use after free.
 * @throws RangeError naming a step that AArch64 litmus has no word for (RCU, patched text), or a thread that is too long.
 */
export function exportAArch64(sys: System, name: string): string {
  const threads = trees(sys).map(({ task, tree }) => thread(sys, task.id, tree));
  const names = [...new Set(threads.flatMap((t) => [...t.address.keys()]))];
  const values = names.map((n) => declaration(sys, n));
  const init = threads.flatMap((t) => wrapped(t.init.map(([r, v]) => `${t.n}:X${r}=${v};`)));
  const got = threads.flatMap((t) => t.zero.registers.map((r) => `${t.n}:X${r}=0`));
  const read = threads.flatMap((t) => t.tables.registers.map((r) => `${t.n}:X${r}`));
  const condition = [...got, `(${anyPoisoned(read)})`].join(' /\\ ');
  return [
    `AArch64 ${title(name)}`,
    ...remarks(LEGEND),
    '{',
    ...wrapped(values),
    ...init,
    '}',
    table(threads),
    ...wrapped(`exists (${condition})`.split(' ')),
    '',
  ].join('\n');
}

// A scenario's core as an AArch64 litmus test, for herd7. What a schedule means there: locks are single atomics whose
// success the condition demands (a waiter that waits adds nothing), the free is a store of poison to the table, a static
// key a plain flag, TLBI nothing. Registers hold what the model's steps read; dependencies are written out.
import type { Lock, Step, TryLock } from '../linux/step.js';
import type { System } from '../linux/system.js';
import {
  addressOf,
  constant,
  newThread,
  operand,
  POISON,
  READER,
  register,
  type Thread,
  word,
} from './aarch64-thread.js';
import { type Tree, trees } from './tree.js';

function takeLock(t: Thread, sys: System, step: Lock | TryLock): number {
  const at = `[X${addressOf(t, word(sys, step.on))}]`;
  const old = register(t);
  if (step.op === 'lock' && step.mode === 'read') {
    const busy = register(t);
    t.lines.push(`LDADDA W${constant(t, String(READER))},W${old},${at}`, `AND W${busy},W${old},#1`);
    return busy;
  }
  t.init.push([old, '0']);
  const mine = step.mode === 'read' ? READER : 1;
  t.lines.push(`CASA W${old},W${constant(t, String(mine))},${at}`);
  return old;
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

const store = { plain: 'STR', once: 'STR', release: 'STLR' } as const;

/**
 * The instructions of one step; the register its result is in, if a branch may ask for it.
 * @throws RangeError naming a step that has no place in an AArch64 test.
 */
function instruction(t: Thread, sys: System, step: Step): number | undefined {
  switch (step.op) {
    case 'read': {
      const from = operand(t, sys, step.on, step.addr);
      const r = register(t);
      t.lines.push(`${step.mode === 'acquire' ? 'LDAR' : 'LDR'} X${r},${from}`);
      t.last.set(step.on, r);
      if (sys.owner[step.on] !== 0) t.tables.push(r);
      return r;
    }
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
      t.zero.push(takeLock(t, sys, step));
      return undefined;
    case 'trylock':
      return takeLock(t, sys, step);
    case 'unlock': {
      const by = constant(t, String(step.mode === 'read' ? -READER : -1));
      const at = addressOf(t, word(sys, step.on));
      t.lines.push(`LDADDL W${by},W${register(t)},[X${at}]`);
      return undefined;
    }
    case 'key':
      keyStep(t, sys, step);
      return undefined;
    case 'text': {
      if (step.mode === 'patch') break;
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

/** Code of a tree; ends by falling through to `end`. */
function emit(t: Thread, sys: System, tree: Tree, end: string): void {
  if (!tree.step || !tree.matters) return;
  const r = instruction(t, sys, tree.step);
  const { next } = tree;
  if (next.length === 0) return;
  if (tree.same || r === undefined) {
    emit(t, sys, next[0]!.tree, end);
    return;
  }
  next.forEach(({ result, tree: below }, i) => {
    const label = `L${t.n}${t.labels++}`;
    if (i < next.length - 1) unless(t, tree.step!, r, result, label);
    const last = new Map(t.last);
    emit(t, sys, below, end);
    t.last.clear();
    for (const [k, v] of last) t.last.set(k, v);
    if (i < next.length - 1) t.lines.push(`B ${end}`, `${label}:`);
  });
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
  const threads = trees(sys).map(({ task, tree }): Thread => {
    const t = newThread(task.id);
    const end = `E${task.id}`;
    emit(t, sys, tree, end);
    if (t.lines.some((l) => l.endsWith(` ${end}`))) t.lines.push(`${end}:`);
    return t;
  });
  const names = [...new Set(threads.flatMap((t) => [...t.address.keys()]))];
  const values = names.map((n) => declaration(sys, n));
  const init = threads.flatMap((t) => t.init.map(([r, v]) => `${t.n}:X${r}=${v};`));
  const got = threads.flatMap((t) => t.zero.map((r) => `${t.n}:X${r}=0`));
  const poisoned = threads.flatMap((t) => t.tables.map((r) => `${t.n}:X${r}=${POISON}`));
  if (poisoned.length === 0) throw new RangeError('nobody reads a table that can be freed');
  const condition = [...got, `(${poisoned.join(' \\/ ')})`].join(' /\\ ');
  return [`AArch64 ${name.replace(/[^\w.+-]/g, '_')}`, '{', values.join(' '), init.join(' '), '}', table(threads), `exists (${condition})`, ''].join('\n'); // biome-ignore format: one line
}

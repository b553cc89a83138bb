// A scenario's core as a litmus test of the Linux kernel memory model (C, for herd7 -conf linux-kernel.cfg). As in the
// thread's own tests the rwsem is a spinlock, a static key an atomic counter, and the flush's DSBs are full barriers. A
// page-table entry is a pointer, so that the walk's address dependency is one.
import type { Place, Step } from '../linux/step.js';
import { regionOf, type System } from '../linux/system.js';
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

/** A function being written. */
interface Thread {
  readonly n: number;
  readonly lines: string[];
  /** Parameters: C type by name. */
  readonly params: Map<string, string>;
  /** Local variables: C type by name. */
  readonly locals: Map<string, string>;
  /** Of each place, the variable that holds what was last read there. */
  readonly last: Map<Place, string>;
  readonly tables: string[];
  indent: number;
}

const kindOf = (sys: System, at: Place) => regionOf(sys, at)?.kind;

function param(t: Thread, sys: System, at: Place): string {
  const r = regionOf(sys, at)!;
  if (r.kind === 'table' && r.size > 1)
    throw new RangeError(`a table of ${r.size} entries (${r.name}) has no place in an LKMM test`);
  const types = { entries: 'int **', lock: 'spinlock_t *', text: 'atomic_t *' } as Record<string, string>; // biome-ignore format: one line
  const n = word(sys, at);
  t.params.set(n, types[r.kind] ?? 'int *');
  return n;
}

/** What an entry holds, as a pointer: a table, or one of two words nobody reads. */
function pointer(t: Thread, sys: System, entry: number): string {
  if (entry % 4 === 3) return param(t, sys, (entry - 3) / 4);
  const n = entry === 0 ? 'none' : 'block';
  t.params.set(n, 'int *');
  return n;
}

function local(t: Thread, type: string): string {
  const r = `r${t.locals.size}`;
  t.locals.set(r, type);
  return r;
}

const say = (t: Thread, line: string): void => void t.lines.push('  '.repeat(t.indent) + line);

/** The word at `on`, through the pointer it was found by where there is one. */
function target(t: Thread, sys: System, on: Place, from: Place | undefined): string {
  const by = from === undefined ? undefined : t.last.get(from);
  return by !== undefined && kindOf(sys, on) === 'table' ? `*${by}` : `*${param(t, sys, on)}`;
}

const fences: Record<string, string> = {
  'dmb ish': 'smp_mb();', 'dsb ish': 'smp_mb();', 'dmb ishst': 'smp_wmb();', 'dsb ishst': 'smp_wmb();',
  'dmb ishld': 'smp_rmb();', 'dsb ishld': 'smp_rmb();',
}; // biome-ignore format: a table

function keyStep(t: Thread, sys: System, step: Extract<Step, { op: 'key' }>): void {
  const key = param(t, sys, step.on);
  if (step.mode === 'inc' || step.mode === 'dec')
    say(t, `${local(t, 'int')} = atomic_${step.mode}_return(${key});`);
  else {
    say(t, 'smp_mb();');
    say(t, `atomic_set(${key}, ${step.mode === 'enable' ? 1 : 0});`);
    say(t, 'smp_mb();');
  }
}

/**
 * The statement of one step; the variable its result is in, if an `if` may ask for it.
 * @throws RangeError naming a step that the memory model's tests have no word for.
 */
function statement(t: Thread, sys: System, step: Step): string | undefined {
  switch (step.op) {
    case 'read': {
      const r = local(t, kindOf(sys, step.on) === 'entries' ? 'int *' : 'int');
      const call = step.mode === 'acquire' ? 'smp_load_acquire' : 'READ_ONCE';
      const from = target(t, sys, step.on, step.addr);
      say(t, `${r} = ${call}(${call === 'READ_ONCE' ? from : from.slice(1)});`);
      t.last.set(step.on, r);
      if (kindOf(sys, step.on) === 'table') t.tables.push(r);
      return r;
    }
    case 'write': {
      const entry = kindOf(sys, step.on) === 'entries';
      const value = entry ? pointer(t, sys, step.value) : String(step.value);
      const to = target(t, sys, step.on, step.addr);
      if (step.mode === 'release') say(t, `smp_store_release(${to.slice(1)}, ${value});`);
      else say(t, `WRITE_ONCE(${to}, ${value});`);
      return undefined;
    }
    case 'free':
      say(t, `WRITE_ONCE(${target(t, sys, step.on, step.addr)}, ${POISON});`);
      return undefined;
    case 'fence':
      if (fences[step.mode]) say(t, fences[step.mode]!);
      return undefined;
    case 'lock':
    case 'unlock':
      say(t, `spin_${step.op}(${param(t, sys, step.on)});`);
      return undefined;
    case 'trylock': {
      const r = local(t, 'int');
      say(t, `${r} = spin_trylock(${param(t, sys, step.on)});`);
      return r;
    }
    case 'rcu':
      say(t, `rcu_read_${step.mode}();`);
      return undefined;
    case 'gp':
      if (step.mode === 'wait') say(t, 'synchronize_rcu();');
      return undefined;
    case 'key':
      keyStep(t, sys, step);
      return undefined;
    case 'text': {
      if (step.mode === 'patch') break;
      const r = local(t, 'int');
      say(t, `${r} = atomic_read(${param(t, sys, step.on)});`);
      return r;
    }
    case 'branch':
    case 'tlbi':
    case 'forget':
    case 'might-sleep':
    case 'context':
    case 'work':
    case 'trace':
      return undefined;
  }
  throw new RangeError(`an LKMM litmus test has no '${step.op}' (${step.by ?? 'unnamed'})`);
}

/** The C condition that a step's variable holds `result`, or does not. */
function condition(
  t: Thread,
  sys: System,
  step: Step,
  r: string,
  result: number,
  holds: boolean,
): string {
  const truth = step.op === 'trylock' || step.op === 'text';
  const entry = step.op === 'read' && kindOf(sys, step.on) === 'entries';
  const value = truth ? 0 : entry ? pointer(t, sys, result) : result;
  return `${r} ${holds === (truth && result !== 0) ? '!=' : '=='} ${value}`;
}

/** A thread's statements; herd7 knows no empty block, so a case of which nothing is left is not written. */
function writer(t: Thread, sys: System): Writer<string> {
  const block = (open: string, write: () => void): void => {
    say(t, open);
    t.indent++;
    write();
    t.indent--;
  };
  return {
    last: t.last,
    step: (step) => statement(t, sys, step),
    choose(step, r, cases) {
      const test = (c: Case, is: boolean) => `if (${condition(t, sys, step, r, c.result, is)}) {`;
      const others = cases.slice(0, -1);
      const rest = cases[cases.length - 1]!;
      const written = others.filter((c) => !c.empty);
      written.forEach((c, i) => {
        block(`${i === 0 ? '' : '} else '}${test(c, true)}`, () => c.write());
      });
      const inner = others
        .filter((c) => c.empty)
        .reduce(
          (write, c) => () => {
            block(test(c, false), write);
            say(t, '}');
          },
          () => rest.write(),
        );
      if (!rest.empty && written.length > 0) block('} else {', inner);
      else if (!rest.empty) inner();
      if (written.length > 0) say(t, '}');
    },
  };
}

const LEGEND = `A table holds ${POISON} once it is freed. The rwsem is a spinlock, a static key an atomic counter, the DSBs of \
the flush are full barriers.`;

function thread(sys: System, n: number, tree: Tree): Thread {
  const t: Thread = { n, lines: [], params: new Map(), locals: new Map(), last: new Map(), tables: [], indent: 1 }; // biome-ignore format: one line
  writeTree(writer(t, sys), tree);
  return t;
}

function functionText(t: Thread): string {
  const params = [...t.params].map(([n, type]) => `${type}${n}`);
  const head = wrapped(`P${t.n}(${params.join(', ')})`.split(' '));
  const locals = [...t.locals].map(([n, type]) => `  ${type}${type.endsWith('*') ? '' : ' '}${n};`);
  return [...head, '{', ...locals, '', ...t.lines, '}'].join('\n');
}

/**
 * `sys` as an LKMM litmus test called `name`: its condition holds in a run that ends in a use after free.
 * @throws RangeError naming a step that has no word there (a wait, patched text), or a table of more than one entry.
 */
export function exportLkmm(sys: System, name: string): string {
  const threads = trees(sys).map(({ task, tree }) => thread(sys, task.id, tree));
  const init: string[] = [];
  const all = new Map(threads.flatMap((t) => [...t.params]));
  for (const r of sys.regions)
    for (let at = r.base; at < r.base + (r.kind === 'entries' ? r.size : 1); at++)
      if (all.get(word(sys, at)) === 'int **')
        init.push(`${word(sys, at)}=${pointer(threads[0]!, sys, sys.cells[at]!)};`);
  const read = threads.flatMap((t) => t.tables.map((r) => `${t.n}:${r}`));
  return [
    `C ${title(name)}`,
    '',
    ...remarks(LEGEND),
    '{',
    ...init,
    '}',
    '',
    threads.map(functionText).join('\n\n'),
    '',
    ...wrapped(`exists (${anyPoisoned(read)})`.split(' ')),
    '',
  ].join('\n');
}

// Points that a user wrote, run so that what goes wrong in them is told by point, file and line.
import type { Step } from '../linux/step.js';
import { UserError } from './command.js';

/** Rounds of loops between two steps after which a loop is taken for an endless one. */
const ENDLESS = 10_000_000;
let rounds = 0;

/** Called in every loop of a scheme file. */
export function tick(): void {
  if (++rounds > ENDLESS) throw new RangeError('a loop goes round and round without a step');
}

const ops: Readonly<Record<Step['op'], true>> = {
  read: true, write: true, rmw: true, fence: true, wait: true, lock: true, trylock: true, unlock: true, rcu: true,
  gp: true, key: true, text: true, ipi: true, tlbi: true, 'hw-walk': true, alloc: true, free: true, 'might-sleep': true,
  context: true, choose: true, branch: true, forget: true, work: true, trace: true,
}; // biome-ignore format: a list

/** Why `value` is no step; undefined if it is one. */
function noStep(value: unknown): string | undefined {
  if (typeof value === 'object' && value !== null && 'next' in value)
    return "has a 'yield' of a kernel function: write 'yield*'";
  const op = (value as { op?: unknown } | null)?.op;
  return typeof op === 'string' && Object.hasOwn(ops, op)
    ? undefined
    : `yields ${JSON.stringify(value)}, which is no step: { op: 'read', on: ... }`;
}

/** Where in the scheme's file an error was thrown: 'my-scheme.ts:12'. */
export type Where = (error: unknown) => string;

function told<T>(point: string, where: Where, act: () => T): T {
  rounds = 0;
  try {
    return act();
  } catch (e) {
    if (e instanceof UserError) throw e;
    throw new UserError(`${where(e)}: ${point} fails: ${e instanceof Error ? e.message : String(e)}`); // biome-ignore format: one line
  }
}

type Run = Generator<Step, unknown, number>;

/** `given` with its mistakes told; `setUp` is called at once, all others are generators. */
export function guarded(
  point: string,
  given: (...args: never[]) => unknown,
  where: Where,
): (...args: never[]) => unknown {
  if (point === 'setUp') return (...args) => told(point, where, () => given(...args));
  return function* (...args) {
    const run = told(point, where, () => given(...args)) as Run;
    if (typeof run?.next !== 'function')
      throw new UserError(`${where(undefined)}: ${point} is no generator: write '*${point}(sys) { ... }'`); // biome-ignore format: one line
    for (let result = 0; ; ) {
      const { done, value } = told(point, where, () => run.next(result));
      if (done) return value;
      const wrong = noStep(value);
      if (wrong) throw new UserError(`${where(undefined)}: ${point} ${wrong}`);
      result = yield value as Step;
    }
  };
}

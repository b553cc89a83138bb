// Deep kernel code at the price of shallow code. Resuming a step passes every `yield*` above it, some 25 ns each, and a
// vmalloc is a dozen deep. A function marked `flat` is called by the engine: `yield*` on it hands the call itself out, the
// engine runs it to its end, and only then resumes the caller with what it gives. What is written stays the same.
import type { Kernel, Step } from '../step.js';

/** What `yield*` hands out for a call of a flat function: an iterator that is its own first result. */
interface Call {
  readonly op: 'call';
  readonly code: Kernel<unknown>;
  next(result: unknown): unknown;
  done: boolean;
  value: unknown;
  begun: boolean;
}

function nextOfCall(this: Call, result: unknown): unknown {
  this.done = this.begun;
  this.value = this.begun ? result : this;
  this.begun = true;
  return this;
}

function callOf(this: Kernel<unknown>): Call {
  return { op: 'call', code: this, next: nextOfCall, done: false, value: undefined, begun: false };
}

/** Mark generator functions as called by the engine: only code that `resume` runs may call them. */
export function flat(...functions: readonly ((...args: never[]) => Kernel<unknown>)[]): void {
  for (const f of functions)
    Object.defineProperty(f.prototype, Symbol.iterator, { value: callOf, writable: true });
}

/** Kernel code that runs: the innermost call the engine made, and its callers. */
export interface Running {
  top: Kernel<unknown>;
  readonly callers: Kernel<unknown>[];
}

/** Code that has not begun. */
export const running = (code: Kernel<unknown>): Running => ({ top: code, callers: [] });

/** Let it go on with the result of its last step: its next step, or what it gives in the end. */
export function resume(r: Running, result: unknown): IteratorResult<Step, unknown> {
  let given = result;
  for (;;) {
    const next = r.top.next(given as number) as IteratorResult<Step | Call, unknown>;
    if (next.done === true) {
      const caller = r.callers.pop();
      if (caller === undefined) return next;
      r.top = caller;
      given = next.value;
    } else if (next.value.op === 'call') {
      r.callers.push(r.top);
      r.top = next.value.code;
      given = 0;
    } else return next as IteratorResult<Step, unknown>;
  }
}

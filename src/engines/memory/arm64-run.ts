import type { Scope } from './arm64-access.js';
import { type Fresh, hopeful, initial, type Messages, type State } from './arm64-state.js';
import { step } from './arm64-step.js';
import { BadAccess } from './program.js';

/** What one thread can do alone against a memory. */
export interface Runs {
  /** Ends in which every promise was kept and nothing was written beside: [registers, own cells]. */
  readonly finals: ReadonlyMap<string, readonly bigint[]>;
  /** Writes that the thread may promise next. */
  readonly next: ReadonlyMap<string, Fresh>;
  readonly cutOff: boolean;
}

/** step(); a run that only guesses, and then goes astray (an address computed from the guess), ends without a trace. */
function advance(s: State, scope: Scope): State[] | undefined {
  if (!s.guessed) return step(s, scope);
  try {
    return step(s, scope);
  } catch (e) {
    if (e instanceof BadAccess) return [];
    throw e;
  }
}

/** Everything a thread can do alone, from its first instruction, against the messages of `mem`. */
export function runAlone(scope: Scope, mem: Messages): Runs {
  const finals = new Map<string, readonly bigint[]>();
  const next = new Map<string, Fresh>();
  const seen = mem.cell.length - 1;
  let cutOff = false;
  const stack = [initial(scope.thread, scope.cells.length, mem)];
  const offer = (s: State): void => {
    if (s.left.length > 0) return;
    for (const f of s.fresh) if (f.needs <= seen) next.set(`${f.cell}=${f.value}`, f);
  };
  while (stack.length > 0) {
    const s = stack.pop()!;
    if (!hopeful(s)) continue;
    if (s.pc >= scope.thread.code.length) {
      offer(s);
      if (s.left.length > 0 || s.fresh.length > 0 || s.guessed) continue;
      const values = scope.thread.observed.map((r) => s.val[r]!);
      const final = [...values, ...s.own.map((v, c) => v ?? scope.cells[c]!.init)];
      finals.set(final.join(), final);
      continue;
    }
    const after = advance(s, scope);
    if (after) stack.push(...after);
    else {
      cutOff = true;
      offer(s);
    }
  }
  return { finals, next, cutOff };
}

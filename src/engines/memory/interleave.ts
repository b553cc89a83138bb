import { type Cpu, commit, key, type Machine, step, waits, withCpu } from './cpu.js';
import {
  type Instr,
  type Locate,
  locator,
  type Outcomes,
  type Program,
  TooLarge,
} from './program.js';

/** Can no other CPU notice whether this instruction was done? */
const isLocal = (i: Instr, cpu: Cpu): boolean =>
  i.op === 'set' || i.op === 'select' || i.op === 'branch' || i.op === 'clrex' || (i.op === 'fence' && !waits(i, cpu)); // biome-ignore format: one line

/** `m` after every local instruction that can be done now; undefined where a loop was cut off. */
function settle(m: Machine, p: Program, cellOf: Locate, buffered: boolean): Machine | undefined {
  let now = m;
  for (let who = 0; who < now.cpus.length; who++)
    for (;;) {
      const cpu = now.cpus[who]!;
      const i = p.threads[who]!.code[cpu.pc];
      if (!i || !isLocal(i, cpu)) break;
      const after = step(now, who, p, cellOf, buffered);
      if (!after) return undefined;
      now = after[0]!;
    }
  return now;
}

const start = (p: Program): Machine => ({
  memory: p.cells.map((c) => c.init),
  cpus: p.threads.map((t) => ({ pc: 0, regs: t.regs, buffer: [], reserved: -1, rounds: [] })),
});

/**
 * Every final state over all interleavings: sequential consistency, or with `buffered` total
 * store order (FIFO store buffers with forwarding; atomics, exclusives and full barriers wait
 * until the buffer is empty).
 * @throws TooLarge after `limit` machine states; BadAccess for a wild access.
 */
export function interleave(p: Program, buffered: boolean, limit = 5_000_000): Outcomes {
  const cellOf = locator(p);
  const visited = new Set<string>();
  const stack: Machine[] = [];
  const finals = new Map<string, bigint[]>();
  let cutOff = false;
  const push = (unsettled: Machine): void => {
    const m = settle(unsettled, p, cellOf, buffered);
    if (!m) {
      cutOff = true;
      return;
    }
    const k = key(m);
    if (visited.has(k)) return;
    if (visited.size >= limit) throw new TooLarge(`more than ${limit} machine states`);
    visited.add(k);
    stack.push(m);
  };
  push(start(p));
  while (stack.length > 0) {
    const m = stack.pop()!;
    let moved = false;
    for (let who = 0; who < m.cpus.length; who++) {
      const cpu = m.cpus[who]!;
      const head = cpu.buffer[0];
      if (head) {
        moved = true;
        const drained = withCpu(m, who, { ...cpu, buffer: cpu.buffer.slice(1) });
        push(commit(drained, who, head.cell, head.value));
      }
      if (cpu.pc >= p.threads[who]!.code.length) continue;
      moved = true;
      const after = step(m, who, p, cellOf, buffered);
      if (after) after.forEach(push);
      else cutOff = true;
    }
    if (moved) continue;
    const state = p.threads.flatMap((t, i) => t.observed.map((r) => m.cpus[i]!.regs[r]!));
    const final = [...state, ...p.observed.map((c) => m.memory[c]!)];
    finals.set(final.join(), final);
  }
  return { states: [...finals.values()], cutOff, nodes: visited.size };
}

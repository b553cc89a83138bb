import {
  evaluate,
  type Instr,
  type Locate,
  locator,
  type Outcomes,
  type Program,
  TooLarge,
} from './program.js';

/** One thread of the interleaving machine: program counter, registers, store buffer, monitor. */
interface Cpu {
  readonly pc: number;
  readonly regs: readonly bigint[];
  /** Oldest first; `release` entries hold back a later LDAR. */
  readonly buffer: readonly { cell: number; value: bigint; release: boolean }[];
  /** Cell reserved by LDXR, or -1. */
  readonly reserved: number;
  /** Backward branches taken. */
  readonly rounds: readonly number[];
}

interface Machine {
  readonly memory: readonly bigint[];
  readonly cpus: readonly Cpu[];
}

const replace = <T>(list: readonly T[], i: number, x: T): T[] => {
  const copy = list.slice();
  copy[i] = x;
  return copy;
};

const key = (m: Machine): string =>
  `${m.memory.join()}|${m.cpus
    .map(
      (c) =>
        `${c.pc};${c.regs.join()};${c.reserved};${c.rounds.join()};${c.buffer.map((b) => `${b.cell}=${b.value}${b.release ? 'L' : ''}`).join()}`,
    )
    .join('|')}`;

/** Put a value into memory; other CPUs lose their reservation of the cell. */
const commit = (m: Machine, who: number, cell: number, value: bigint): Machine => ({
  memory: replace(m.memory, cell, value),
  cpus: m.cpus.map((c, i) => (i !== who && c.reserved === cell ? { ...c, reserved: -1 } : c)),
});

const withCpu = (m: Machine, who: number, cpu: Cpu): Machine => ({
  memory: m.memory,
  cpus: replace(m.cpus, who, cpu),
});

/** Must the store buffer be empty (or hold no release) before this instruction runs? */
function waits(i: Instr, cpu: Cpu): boolean {
  if (cpu.buffer.length === 0) return false;
  switch (i.op) {
    case 'fence':
      return i.kind === 'full' || i.kind === 'dsb.st';
    case 'load':
      return i.exclusive || (i.acquire === 'A' && cpu.buffer.some((b) => b.release));
    case 'stxr':
    case 'rmw':
    case 'cas':
      return true;
    default:
      return false;
  }
}

const set = (cpu: Cpu, reg: number, value: bigint): Cpu =>
  reg < 0 ? cpu : { ...cpu, regs: replace(cpu.regs, reg, value) };

/** Value a CPU sees in a cell: its newest buffered store, else memory. */
function seen(m: Machine, cpu: Cpu, cell: number): bigint {
  for (let i = cpu.buffer.length - 1; i >= 0; i--)
    if (cpu.buffer[i]!.cell === cell) return cpu.buffer[i]!.value;
  return m.memory[cell]!;
}

/** All machines after CPU `who` runs the memory instruction `i`; `next` is already past it. */
function access(
  m: Machine,
  who: number,
  next: Cpu,
  i: Instr,
  cellOf: Locate,
  buffered: boolean,
): Machine[] {
  if (i.op !== 'load' && i.op !== 'store' && i.op !== 'stxr' && i.op !== 'rmw' && i.op !== 'cas')
    return [];
  const cell = cellOf(who, next.pc - 1, evaluate(i.addr, next.regs));
  const old = seen(m, next, cell);
  if (i.op === 'load') {
    const cpu = set(next, i.dst, i.extend(old));
    return [withCpu(m, who, i.exclusive ? { ...cpu, reserved: cell } : cpu)];
  }
  const data = evaluate(i.data, next.regs);
  if (i.op === 'store') {
    if (!buffered) return [commit(withCpu(m, who, next), who, cell, data)];
    const buffer = [...next.buffer, { cell, value: data, release: i.release }];
    return [withCpu(m, who, { ...next, buffer })];
  }
  if (i.op === 'stxr') {
    const free: Cpu = { ...next, reserved: -1 };
    const failed = withCpu(m, who, set(free, i.status, 1n));
    if (next.reserved !== cell) return [failed];
    return [failed, commit(withCpu(m, who, set(free, i.status, 0n)), who, cell, data)];
  }
  const done = withCpu(m, who, set(next, i.dst, old));
  if (i.op === 'rmw') return [commit(done, who, cell, i.update(old, data))];
  return [evaluate(i.compare, next.regs) === old ? commit(done, who, cell, data) : done];
}

/** All machines one instruction of `who` later; undefined where a loop was cut off. */
function step(
  m: Machine,
  who: number,
  p: Program,
  cellOf: Locate,
  buffered: boolean,
): Machine[] | undefined {
  const cpu = m.cpus[who]!;
  const i = p.threads[who]!.code[cpu.pc]!;
  if (waits(i, cpu)) return [];
  const next: Cpu = { ...cpu, pc: cpu.pc + 1 };
  switch (i.op) {
    case 'set':
      return [withCpu(m, who, set(next, i.dst, evaluate(i.e, cpu.regs)))];
    case 'select': {
      const chosen = i.test(cpu.regs[i.flags]!) ? i.yes : i.no;
      return [withCpu(m, who, set(next, i.dst, evaluate(chosen, cpu.regs)))];
    }
    case 'branch': {
      if (i.cond && evaluate(i.cond, cpu.regs) === 0n) return [withCpu(m, who, next)];
      if (i.target > cpu.pc) return [withCpu(m, who, { ...next, pc: i.target })];
      const taken = (cpu.rounds[cpu.pc] ?? 0) + 1;
      if (taken > p.unroll) return undefined;
      const rounds = Array.from(p.threads[who]!.code, (_, k) => cpu.rounds[k] ?? 0);
      rounds[cpu.pc] = taken;
      return [withCpu(m, who, { ...next, pc: i.target, rounds })];
    }
    case 'fence':
      return [withCpu(m, who, next)];
    case 'clrex':
      return [withCpu(m, who, { ...next, reserved: -1 })];
    default:
      return access(m, who, next, i, cellOf, buffered);
  }
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
  const first = start(p);
  const visited = new Set([key(first)]);
  const stack = [first];
  const finals = new Map<string, bigint[]>();
  let cutOff = false;
  const push = (m: Machine): void => {
    const k = key(m);
    if (visited.has(k)) return;
    if (visited.size >= limit) throw new TooLarge(`more than ${limit} machine states`);
    visited.add(k);
    stack.push(m);
  };
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

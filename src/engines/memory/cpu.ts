// CPUs that interleave, each with a FIFO store buffer: one instruction at a time.
import { ENDLESS, evaluate, type Instr, type Locate, type Program } from './program.js';

/** One thread of the interleaving machine: program counter, registers, store buffer, monitor. */
export interface Cpu {
  readonly pc: number;
  readonly regs: readonly bigint[];
  /** Oldest first; `release` entries hold back a later LDAR. */
  readonly buffer: readonly { cell: number; value: bigint; release: boolean }[];
  /** Cell reserved by LDXR, or -1. */
  readonly reserved: number;
  /** Backward branches taken. */
  readonly rounds: readonly number[];
}

export interface Machine {
  readonly memory: readonly bigint[];
  readonly cpus: readonly Cpu[];
}

const replace = <T>(list: readonly T[], i: number, x: T): T[] => {
  const copy = list.slice();
  copy[i] = x;
  return copy;
};

export const key = (m: Machine): string =>
  `${m.memory.join()}|${m.cpus
    .map(
      (c) =>
        `${c.pc};${c.regs.join()};${c.reserved};${c.rounds.join()};${c.buffer.map((b) => `${b.cell}=${b.value}${b.release ? 'L' : ''}`).join()}`,
    )
    .join('|')}`;

/** Put a value into memory; other CPUs lose their reservation of the cell. */
export const commit = (m: Machine, who: number, cell: number, value: bigint): Machine => ({
  memory: replace(m.memory, cell, value),
  cpus: m.cpus.map((c, i) => (i !== who && c.reserved === cell ? { ...c, reserved: -1 } : c)),
});

export const withCpu = (m: Machine, who: number, cpu: Cpu): Machine => ({
  memory: m.memory,
  cpus: replace(m.cpus, who, cpu),
});

/** Must the store buffer be empty (or hold no release) before this instruction runs? */
export function waits(i: Instr, cpu: Cpu): boolean {
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
export function step(
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
      const { length } = p.threads[who]!.code;
      const at = i.settled ? length + i.target : i.target;
      const taken = (cpu.rounds[at] ?? 0) + 1;
      if (taken > (i.settled ? ENDLESS : p.unroll)) return undefined;
      const rounds = Array.from({ length: 2 * length }, (_, k) => cpu.rounds[k] ?? 0);
      rounds[at] = taken;
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

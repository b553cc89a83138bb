// A fair scheduler in small: one queue a CPU by virtual run time, time slices, wake-up preemption. Tasks stay on their CPU.
// C: kernel/sched/fair.c. Left out: load balancing, weights, deadlines of EEVDF.
import { add } from './clock.js';
import { draw } from './draw.js';
import {
  ASLEEP,
  type Cpu,
  DONE,
  emit,
  READY_TO_RUN,
  RUNNING,
  type Sim,
  SLICE,
  SLICE_NS,
  SPINNING,
  STEP_DONE,
  type Thread,
  WAKE,
  WAKEUP_NS,
} from './sim-state.js';

const idle = (cpu: number): string => `next_comm=swapper/${cpu} next_pid=0 next_prio=120`;

/** prev -> next in the words of sched_switch. */
function logSwitch(sim: Sim, cpu: Cpu, prev: Thread | null, next: Thread | null, state: string) {
  const by = prev ?? next;
  if (!by) return;
  const from = prev
    ? `prev_comm=${prev.task.name} prev_pid=${prev.pid} prev_prio=120`
    : `prev_comm=swapper/${cpu.id} prev_pid=0 prev_prio=120`;
  const to = next ? `next_comm=${next.task.name} next_pid=${next.pid} next_prio=120` : idle(cpu.id);
  const detail = `${from} prev_state=${prev ? state : 'R'} ==> ${to}`;
  emit(sim, by, 'sched_switch', { detail });
}

/** May `t` be taken off its CPU now? */
export const preemptible = (sim: Sim, t: Thread): boolean => sim.sys.cells[t.task.atomic] === 0;

function account(sim: Sim, t: Thread): void {
  t.vruntime += sim.now - t.onCpuAt;
  t.onCpuAt = sim.now;
}

/** Run whoever has run least; nobody waits: idle. `prev` goes off in `state`. */
function dispatch(sim: Sim, cpu: Cpu, prev: Thread | null, state: string): void {
  const next = cpu.queue.reduce<Thread | null>(
    (best, t) => (best === null || t.vruntime < best.vruntime ? t : best),
    null,
  );
  if (next) cpu.queue.splice(cpu.queue.indexOf(next), 1);
  if (prev !== next) logSwitch(sim, cpu, prev, next, state);
  cpu.running = next;
  cpu.last = prev ?? cpu.last;
  if (!next) return;
  next.state = RUNNING;
  next.resched = false;
  next.onCpuAt = sim.now;
  const at = sim.now + draw(sim.random, sim.tables.costs['context switch']) + next.remaining;
  next.remaining = 0;
  next.endsAt = at;
  add(sim.agenda, at, STEP_DONE, next.id, ++next.version);
  if (cpu.queue.length > 0) add(sim.agenda, sim.now + SLICE_NS, SLICE, next.id, next.version);
}

/** `t` has nothing to do until it is woken. */
export function sleep(sim: Sim, t: Thread, state = 'D'): void {
  const cpu = sim.cpus[t.cpu]!;
  account(sim, t);
  t.state = ASLEEP;
  t.version++;
  dispatch(sim, cpu, t, state);
}

/** `t` has come to its end. */
export function exit(sim: Sim, t: Thread): void {
  t.state = DONE;
  t.version++;
  if (!t.task.daemon) sim.alive--;
  dispatch(sim, sim.cpus[t.cpu]!, t, 'X');
}

/** Off the CPU, but ready. */
export function preempt(sim: Sim, t: Thread): void {
  account(sim, t);
  if (t.state === RUNNING) t.remaining = Math.max(0, t.endsAt - sim.now);
  t.state = READY_TO_RUN;
  t.version++;
  const cpu = sim.cpus[t.cpu]!;
  cpu.queue.push(t);
  dispatch(sim, cpu, t, 'R+');
}

/** Tell `t` to wake up; a worker's time until it runs its work is measured apart. */
export function wake(sim: Sim, t: Thread): void {
  if (t.waking || t.state !== ASLEEP) return;
  t.waking = true;
  const what = t.step?.by === 'worker_thread' ? 'work item' : 'wake-up';
  const latency = draw(sim.random, sim.tables.costs[what]);
  add(sim.agenda, sim.now + latency, WAKE, t.id, 0);
}

/** Wake `t` at `at`, exactly (a timer). */
export function wakeAt(sim: Sim, t: Thread, at: number): void {
  t.waking = true;
  add(sim.agenda, Math.max(at, sim.now), WAKE, t.id, 0);
}

/** `t` is awake: run it, or queue it. */
export function enqueue(sim: Sim, t: Thread): void {
  t.waking = false;
  if (t.state !== ASLEEP) return;
  const cpu = sim.cpus[t.cpu]!;
  const { running } = cpu;
  t.state = READY_TO_RUN;
  const least = running ? running.vruntime : t.vruntime;
  t.vruntime = Math.max(t.vruntime, least - SLICE_NS);
  cpu.queue.push(t);
  if (!running) {
    dispatch(sim, cpu, null, 'R');
    return;
  }
  const ran = running.vruntime + (sim.now - running.onCpuAt);
  const first = t.vruntime + WAKEUP_NS < ran;
  if (first && preemptible(sim, running)) preempt(sim, running);
  else if (first) running.resched = true;
  else add(sim.agenda, running.onCpuAt + SLICE_NS, SLICE, running.id, running.version);
}

/** The slice of `t` is over; if it may not be preempted now, ask again in a millisecond. */
export function sliceOver(sim: Sim, t: Thread): void {
  const onCpu = t.state === RUNNING || t.state === SPINNING;
  if (!onCpu || sim.cpus[t.cpu]!.queue.length === 0) return;
  if (sim.now - t.onCpuAt < SLICE_NS || !preemptible(sim, t)) {
    const at = Math.max(t.onCpuAt + SLICE_NS, sim.now + 1e6);
    add(sim.agenda, at, SLICE, t.id, t.version);
  } else preempt(sim, t);
}

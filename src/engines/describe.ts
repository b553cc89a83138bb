// Steps in words, as a counterexample shows them.
import type { Place, Step } from '../linux/step.js';
import { NULL_PAGE, nameOf, regionOf, type System, type Task } from '../linux/system.js';

/** A step that was done, with what is needed to tell of it. */
export interface Done {
  readonly task: Task;
  readonly step: Step;
  /** What it gave, or stored; of a key, its count afterwards. */
  readonly value: number;
  /** The task only joined a lock's queue. */
  readonly queued: boolean;
  /** Locks the task held when it was done: 'init_mm W'. */
  readonly held: readonly string[];
  /** Weak models: done before steps that precede it in its program; the store of an atomic that has read before. */
  readonly early?: boolean;
  readonly storesOnly?: number;
  /** Here it went wrong. */
  readonly faulty?: boolean;
}

/** The place a step is about; 0 if none. */
export const placeOf = (step: Step): Place => ('on' in step ? (step.on ?? 0) : 0);

const tableName = (sys: System, at: Place): string => regionOf(sys, at)?.name ?? `table ${at}`;

/** An entry or word, by where it stands: entries of PTE tables are just 'pte table 0'. */
export function objectName(sys: System, at: Place): string {
  if (at === 0) return '';
  if (at < NULL_PAGE) return 'nothing (a cleared entry)';
  const r = regionOf(sys, at);
  return r?.kind === 'table' && r.size === 1 ? r.name : nameOf(sys, at);
}

/** An entry's value in words. */
function entryText(sys: System, value: number): string {
  if (value === 0) return 'none';
  return value % 4 === 3 ? tableName(sys, (value - 3) / 4) : 'block';
}

const isEntry = (sys: System, at: Place): boolean => {
  const r = regionOf(sys, at);
  return r?.kind === 'entries' || (r?.kind === 'table' && r.size > 1);
};

function readText(sys: System, d: Done): string {
  const on = placeOf(d.step);
  if (on < NULL_PAGE) return 'read through a cleared entry';
  const name = objectName(sys, on);
  if (d.step.by === 'pXdp_get') return `pXdp_get(${name}) -> ${entryText(sys, d.value)}`;
  if (isEntry(sys, on)) return `read ${name} -> ${entryText(sys, d.value)}`;
  return regionOf(sys, on)?.kind === 'table' ? `read ${name}` : `read ${name} -> ${d.value}`;
}

const lockName = (sys: System, d: Done): string => {
  const name = objectName(sys, placeOf(d.step));
  const call = d.step.by ?? d.step.op;
  return name === 'init_mm' || name === 'jump_label_mutex' ? call : `${call}(${name})`;
};

/** What was done, in one short line of ASCII. */
export const describe = (sys: System, d: Done): string =>
  (d.storesOnly === undefined ? act(sys, d) : `${objectName(sys, placeOf(d.step))} = ${d.storesOnly}`) + (d.early ? ' (early)' : ''); // biome-ignore format: one line

function act(sys: System, d: Done): string {
  const { step } = d;
  const name = objectName(sys, placeOf(step));
  switch (step.op) {
    case 'read':
      return readText(sys, d);
    case 'write':
      return /clear/.test(step.by ?? '')
        ? `${step.by}(${name})`
        : isEntry(sys, step.on)
          ? `${step.by ?? 'write'}(${name}, ${entryText(sys, step.value)})`
          : `${name} = ${step.value}`;
    case 'rmw':
      return `${step.fn}(${name}, ${step.value}) -> ${d.value}`;
    case 'lock':
      return d.queued ? `${lockName(sys, d)}: queues` : lockName(sys, d);
    case 'trylock':
      return `${lockName(sys, d)} -> ${d.value}`;
    case 'unlock':
      return lockName(sys, d);
    case 'key':
      return `${step.by ?? step.mode} -> ${d.value}`;
    case 'text':
      return step.mode === 'test' ? `static_branch -> ${d.value}` : `patch text=${step.value}`;
    case 'ipi':
      return `IPI+isb on CPU${step.cpu}`;
    case 'gp':
      return step.mode === 'wait' ? 'synchronize_rcu done' : 'synchronize_rcu begins';
    case 'free':
      return `free(${tableName(sys, step.on)})`;
    case 'fence':
      return step.by ?? step.mode;
    case 'wait':
      return `${step.by ?? 'wait'}: ${name} -> ${d.value}`;
    case 'hw-walk':
      return `hardware walk of ${objectName(sys, step.entry)}`;
    case 'choose':
      return `${step.what}: ${d.value}`;
    default:
      return step.by ?? step.op;
  }
}

/** Of the steps that were done in one move, the one that tells what it was about. */
export function telling(steps: readonly Done[]): Done {
  let end = 0;
  while (steps[end]?.step.joined && end + 1 < steps.length) end++;
  const weight = (d: Done): number =>
    d.step.op === 'text' ? 3 : d.step.op === 'write' || d.step.op === 'rmw' ? 2 : 1;
  let best = steps[0]!;
  for (let i = 1; i <= end; i++) if (weight(steps[i]!) > weight(best)) best = steps[i]!;
  return best;
}

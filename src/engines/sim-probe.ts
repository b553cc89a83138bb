// Time between two events of one task, where a profile was fitted to a real trace: what was measured there rules.
// Events are numbers: no text is put together while a run goes on.
import type { Step } from '../linux/step.js';
import type { Profile } from './cost.js';
import { draw, type Stream, tabled } from './draw.js';
import type { Sim, Thread } from './sim-state.js';
import { KEY, LOCK, TRACE, TRYLOCK, UNLOCK } from './step-code.js';

/** No event; one that times are never measured from. */
export const NO_PROBE = 0;

/** Measured times of a profile between events, which are numbered as they are met. */
export interface Segments {
  readonly any: boolean;
  readonly ids: Map<string, number>;
  /** By number of the first * MOST + number of the second: all; begun in a walk, or not. */
  readonly all: ReadonlyMap<number, Float64Array>;
  readonly walk: ReadonlyMap<number, Float64Array>;
  readonly idle: ReadonlyMap<number, Float64Array>;
  /** Of lock events of init_mm, and of the key. */
  readonly asked: Readonly<Record<'read' | 'write', number>>;
  readonly got: Readonly<Record<'read' | 'write', number>>;
  readonly failed: Readonly<Record<'read' | 'write', number>>;
  readonly released: Readonly<Record<'read' | 'write', number>>;
  readonly key: { readonly en: number; readonly enNoop: number; readonly dis: number; readonly disNoop: number }; // biome-ignore format: one line
  readonly free: number;
  readonly set: number;
}

const MOST = 4096;

function idOf(ids: Map<string, number>, name: string): number {
  let id = ids.get(name);
  if (id === undefined) {
    id = ids.size + 1;
    ids.set(name, id);
  }
  return id;
}

/** Number the events of a profile and table its times. */
export function segmentTables(p: Profile): Segments {
  const ids = new Map<string, number>();
  const id = (name: string): number => idOf(ids, name);
  const tables = { all: new Map<number, Float64Array>(), walk: new Map<number, Float64Array>(), idle: new Map<number, Float64Array>() }; // biome-ignore format: one line
  for (const [name, dist] of Object.entries(p.segments)) {
    const [pair, state = 'all'] = name.split('@');
    const [from, to] = pair!.split('>');
    tables[state as 'all' | 'walk' | 'idle'].set(id(from!) * MOST + id(to!), tabled(dist));
  }
  const lock = (what: string, end = '') => ({
    read: id(`mmap_lock_${what}.read${end}`),
    write: id(`mmap_lock_${what}.write${end}`),
  });
  return {
    any: Object.keys(p.segments).length > 0,
    ids,
    ...tables,
    asked: lock('start_locking'),
    got: lock('acquire_returned'),
    failed: lock('acquire_returned', '.failed'),
    released: lock('released'),
    key: { en: id('key_en'), enNoop: id('key_en.noop'), dis: id('key_dis'), disNoop: id('key_dis.noop') }, // biome-ignore format: one line
    free: id('pmd_free_pte_page'),
    set: id('pmd_set_huge'),
  };
}

/** Events between which no time is measured: their counts differ between model and probes. */
const ignored: ReadonlySet<string> = new Set([
  'print', 'tracing_mark_write', 'pmd_alloc', 'pud_alloc', 'pud_clear_huge', 'pmd_clear_huge',
  'decay_node', 'purge_node', 'drain', 'pud_set_huge', 'pud_free_pmd_page', 'vmalloc_range_ret',
]); // biome-ignore format: a list

/** The event a step is known by between two neighbours (Profile.segments); NO_PROBE for none. */
function probeOf(sim: Sim, t: Thread, step: Step): number {
  const { segments } = sim;
  switch (t.code) {
    case TRACE: {
      const { what } = step as Extract<Step, { op: 'trace' }>;
      return ignored.has(what) ? NO_PROBE : idOf(segments.ids, what);
    }
    case LOCK:
    case TRYLOCK:
      return t.on === sim.initMm ? segments.asked[(step as Extract<Step, { op: 'lock' }>).mode] : NO_PROBE; // biome-ignore format: one line
    case UNLOCK:
      return t.on === sim.initMm ? segments.released[(step as Extract<Step, { op: 'unlock' }>).mode] : NO_PROBE; // biome-ignore format: one line
    case KEY:
      return keyProbe(sim, step as Extract<Step, { op: 'key' }>);
    default:
      return NO_PROBE;
  }
}

/** key_en, key_dis; '.noop' where the text stays as it is. */
function keyProbe(sim: Sim, step: Extract<Step, { op: 'key' }>): number {
  const { key } = sim.segments;
  const enabled = sim.sys.cells[step.on]!;
  if (step.mode === 'enable' || step.mode === 'inc') return enabled === 0 ? key.en : key.enNoop;
  return enabled === 1 ? key.dis : key.disNoop;
}

const MOST_OVERLOOKED = 3;

/**
 * The event that times are measured from next: this one, if the time to it was measured, or there was none. Else it is
 * overlooked, so that a profile of one scheme serves another: its extra lock events fall between two that are known.
 */
export function probed(sim: Sim, t: Thread, step: Step): void {
  const probe = probeOf(sim, t, step);
  if (probe === NO_PROBE) return;
  const known = t.probe === NO_PROBE || sim.segments.all.has(t.probe * MOST + probe);
  if (!known && t.overlooked++ < MOST_OVERLOOKED) return;
  restart(t, probe);
}

/** Times are measured from `probe` on. */
export function restart(t: Thread, probe: number): void {
  t.probe = probe;
  t.worked = 0;
  t.overlooked = 0;
  t.flushed = false;
}

/** init_mm's lock was got, or refused: times are measured from there, if they were from asking for it. */
export function answered(sim: Sim, t: Thread, mode: 'read' | 'write', ok: boolean): void {
  const { asked, got, failed } = sim.segments;
  if (t.probe !== NO_PROBE && t.probe === asked[mode]) restart(t, (ok ? got : failed)[mode]);
}

/**
 * Time that measured neighbours of this event stand apart, beyond what the steps between have taken. From the free of a
 * table to the lock (or the block) nearly all is the flush (reference 5.6): there, before the key is looked at, it is put.
 */
export function padding(sim: Sim, t: Thread, step: Step, random: Stream): number {
  const { segments } = sim;
  const flush = step.op === 'tlbi' && t.probe === segments.free;
  const probe = flush ? segments.asked.read : probeOf(sim, t, step);
  if (probe === NO_PROBE || (t.flushed && probe === segments.asked.read)) return 0;
  const pair = t.probe * MOST + probe;
  const writer = sim.sys.cells[sim.initMm] ?? 0;
  const walked = writer !== 0 && writer !== t.id + 1;
  let table = (walked ? segments.walk : segments.idle).get(pair) ?? segments.all.get(pair);
  if (flush) table ??= segments.all.get(segments.free * MOST + segments.set);
  const gap = table ? Math.max(0, draw(random, table) - t.worked) : 0;
  if (flush) {
    t.flushed = true;
    t.worked += gap;
  }
  return gap;
}

// Steps as they stand in a task's window: fetched in program order, and not all of them performed yet.
import type { Step } from '../../linux/step.js';
import { regionOf, type System } from '../../linux/system.js';
import { Unsupported } from './kernel-run.js';
import { stored } from './rmw.js';

/** sc and tso are arm64 with stronger accesses: loads acquire (RCpc), stores release, SC loads wait for stores. */
export type Strength = 'sc' | 'tso' | 'arm64';

/** Begin and end of an RCU section: steps that stand in the window until what they bound is performed. */
export type Kind =
  | 'read' | 'write' | 'rmw' | 'lock' | 'unlock' | 'free' | 'fence' | 'branch' | 'isb' | 'enter' | 'leave'; // biome-ignore format: a list

/** A fetched step. Never changed, only replaced. */
export interface Entry {
  readonly kind: Kind;
  readonly step: Step;
  /** The word, lock or table; of a branch where its condition was read; of a section its number in this window. */
  readonly at: number;
  /** First entry of the table that the word lies in, or of the table that is freed; else 0. */
  readonly table: number;
  /** Places whose value, as last read before, gave the address and the value stored; 0 for none. */
  readonly addr: number;
  readonly data: number;
  readonly acquire: '' | 'Q' | 'A';
  readonly release: boolean;
  /** A full barrier behind the store. */
  readonly full: boolean;
  /** Parts that are still to be performed: the read, the store. */
  readonly r: boolean;
  readonly w: boolean;
  /** What the read gave or is assumed to give; what is stored. */
  readonly value: number;
  readonly store: number;
  /** Of a section: something behind its beginning was performed. */
  readonly open: boolean;
  /** Everything above but `step`, in text: what is equal does the same. */
  readonly key: string;
}

type Parts = Omit<Entry, 'key'>;

/** An entry with its key. */
export function entry(e: Parts): Entry {
  const flags = (e.r ? 1 : 0) + (e.w ? 2 : 0) + (e.open ? 4 : 0) + (e.release ? 8 : 0) + (e.full ? 16 : 0); // biome-ignore format: one line
  const mode = e.kind === 'fence' && e.step.op === 'fence' ? e.step.mode : e.acquire;
  const key = `${e.kind} ${mode} ${e.at} ${e.addr} ${e.data} ${flags} ${e.value} ${e.store}`;
  return { ...e, key };
}

/** `e` with some of it changed. */
export const changed = (e: Entry, parts: Partial<Parts>): Entry => entry({ ...e, ...parts });

const plain: Omit<Parts, 'kind' | 'step'> = {
  at: 0,
  table: 0,
  addr: 0,
  data: 0,
  acquire: '',
  release: false,
  full: false,
  r: false,
  w: false,
  value: 0,
  store: 0,
  open: false,
};

/** First entry of the table that word `at` lies in; 0 if it lies in none. */
export function tableAt(sys: System, at: number): number {
  if (sys.owner[at] === 0 || sys.owner[at] === undefined) return 0;
  return regionOf(sys, at)?.base ?? 0;
}

/** The entry `e` after its read gave `value`. */
export function hasRead(e: Entry, value: number): Entry {
  if (e.step.op !== 'rmw') return changed(e, { r: false, value });
  const store = stored(e.step, value);
  return store === undefined
    ? changed(e, { kind: 'read', r: false, w: false, release: false, full: false, value })
    : changed(e, { r: false, value, store });
}

/** The entry `e`, not performed, with `value` assumed to be what its read gives. */
export function assumed(e: Entry, value: number): Entry {
  return changed(hasRead(e, value), { r: true });
}

/** The entry of a step that touches memory or orders; undefined for all others. @throws Unsupported */
export function entryOf(sys: System, step: Step, strength: Strength): Entry | undefined {
  const strong = strength !== 'arm64';
  const deps = 'addr' in step || 'data' in step ? { addr: step.addr ?? 0, data: step.data ?? 0 } : {}; // biome-ignore format: one line
  const word = 'on' in step && step.on !== undefined ? { at: step.on, table: tableAt(sys, step.on) } : {}; // biome-ignore format: one line
  const make = (kind: Kind, parts: Partial<Parts>): Entry => entry({ ...plain, ...word, ...deps, kind, step, ...parts }); // biome-ignore format: one line
  switch (step.op) {
    case 'read':
      return make('read', { r: true, acquire: step.mode === 'acquire' ? 'A' : strong ? 'Q' : '' });
    case 'wait':
      return make('read', { r: true, acquire: 'A' });
    case 'write':
      return make('write', { w: true, store: step.value, release: strong || step.mode === 'release' }); // biome-ignore format: one line
    case 'rmw': {
      const full = strong || step.mode === 'full';
      const acquire = full || step.mode === 'acquire' ? 'A' : '';
      return make('rmw', { r: true, w: true, acquire, release: full || step.mode === 'release', full }); // biome-ignore format: one line
    }
    case 'free':
      return make('free', { w: true, release: strong });
    case 'lock':
      return make('lock', { r: true, w: true, acquire: 'Q', full: strong });
    case 'trylock':
      return make('lock', { r: true, w: true, acquire: 'Q', full: strong });
    case 'unlock':
      return make('unlock', { w: true, release: true });
    case 'fence':
      return make(step.mode === 'isb' ? 'isb' : 'fence', {});
    case 'branch':
      return make('branch', { table: 0 });
    case 'text':
      return step.mode === 'patch' ? make('write', { at: step.on + 1, w: true, store: step.value ?? 0, release: strong }) : undefined; // biome-ignore format: one line
    case 'alloc':
    case 'hw-walk':
      throw new Unsupported(`step '${step.op}' (${step.by ?? ''}) has no rules in this engine`);
    default:
      return undefined;
  }
}

/** The entry of a trylock that found the lock held. */
export const failed = (e: Entry): Entry =>
  changed(e, {
    kind: 'read',
    r: true,
    w: false,
    acquire: e.full ? 'Q' : '',
    full: false,
    value: 0,
  });

/** The full barrier behind a patch. */
export const barrier = (step: Step): Entry =>
  entry({ ...plain, kind: 'fence', step: { op: 'fence', mode: 'dsb ish', ...(step.by ? { by: step.by } : {}) } }); // biome-ignore format: one line

/** An end of an RCU section with this number. */
export const bound = (step: Step, kind: 'enter' | 'leave', at: number): Entry =>
  entry({ ...plain, kind, step, at });

// Steps as small integers: what the timed engine asks of a step more than once, it asks the text for only once.
import type { Step } from '../linux/step.js';
import { type CostName, seeds } from './cost.js';

export const READ = 0;
export const WRITE = 1;
export const RMW = 2;
export const LOCK = 3;
export const TRYLOCK = 4;
export const UNLOCK = 5;
export const KEY = 6;
export const WAIT = 7;
export const GP = 8;
/** May have several outcomes. */
export const TEXT = 9;
export const CHOOSE = 10;
/** All others that change something. */
export const FENCE = 11;
export const TLBI = 12;
export const OTHER = 13;
/** From here on: steps that change nothing. */
export const TRACE = 14;
export const WORK = 15;
export const MARK = 16;

/** Which of these `op` is. */
export function codeOf(op: Step['op']): number {
  switch (op) {
    case 'read':
      return READ;
    case 'trace':
      return TRACE;
    case 'work':
      return WORK;
    case 'lock':
      return LOCK;
    case 'unlock':
      return UNLOCK;
    case 'fence':
      return FENCE;
    case 'write':
      return WRITE;
    case 'branch':
    case 'forget':
      return MARK;
    case 'rmw':
      return RMW;
    case 'trylock':
      return TRYLOCK;
    case 'tlbi':
      return TLBI;
    case 'key':
      return KEY;
    case 'gp':
      return GP;
    case 'wait':
      return WAIT;
    case 'text':
      return TEXT;
    case 'choose':
      return CHOOSE;
    default:
      return OTHER;
  }
}

/** The prices by number. */
export const costNames = Object.keys(seeds) as readonly CostName[];
const numbers: ReadonlyMap<string, number> = new Map(costNames.map((n, i) => [n, i]));
const at = (name: CostName): number => numbers.get(name)!;

/** The price that costs nothing. */
export const FREE = at('free');
const [read, write, rmw, work] = [at('read'), at('write'), at('rmw'), at('work')];
const [rwsemLock, spinLock] = [at('rwsem lock'), at('spin lock')];
const [rwsemUnlock, spinUnlock] = [at('rwsem unlock'), at('spin unlock')];
const fences = { isb: at('isb'), ishst: at('dsb ishst'), ish: at('dsb ish'), dmb: at('dmb ish') };

function fenceCost(mode: string): number {
  if (mode === 'isb') return fences.isb;
  return mode === 'dsb ishst' ? fences.ishst : mode === 'dsb ish' ? fences.ish : fences.dmb;
}

/** Number of the price of a step whose code is `code`. */
export function costOf(step: Step, code: number): number {
  switch (code) {
    case READ:
      return read;
    case WRITE:
      return write;
    case RMW:
      return rmw;
    case TRACE:
    case MARK:
      return FREE;
    case WORK:
      return numbers.get((step as Extract<Step, { op: 'work' }>).what) ?? work;
    case LOCK:
    case TRYLOCK:
      return (step as Extract<Step, { op: 'lock' }>).kind === 'rwsem' ? rwsemLock : spinLock;
    case UNLOCK:
      return (step as Extract<Step, { op: 'unlock' }>).kind === 'rwsem' ? rwsemUnlock : spinUnlock;
    case FENCE:
      return fenceCost((step as Extract<Step, { op: 'fence' }>).mode);
    default:
      return rareCost(step);
  }
}

function rareCost(step: Step): number {
  switch (step.op) {
    case 'tlbi':
      return at(step.mode === 'vmalle1is' ? 'tlbi all' : 'tlbi');
    case 'alloc':
      return at('alloc table');
    case 'free':
      return at('free table');
    case 'text':
      return at(step.mode === 'test' ? 'key test' : 'key flip');
    case 'ipi':
      return at('ipi');
    case 'might-sleep':
      return at('might sleep');
    default:
      return FREE;
  }
}

/** How often the price of a step is to be paid: pages, entries, TLBI operations. */
export function timesOf(step: Step, code: number): number {
  if (code === WORK) return (step as Extract<Step, { op: 'work' }>).n;
  return code === TLBI ? ((step as Extract<Step, { op: 'tlbi' }>).n ?? 1) : 1;
}

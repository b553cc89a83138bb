// The cycles of test/litmus/cycles.ts as modelled kernel code: the same accesses in the same order, as steps. What the scenario
// engine makes of them is held against what the litmus engine, itself equal to herd7, makes of the litmus test.
import type { AtomicMode, Deps, FenceMode, Kernel, Place, Step } from '../../../src/linux/step.js';
import { newSystem, region, type System, task } from '../../../src/linux/system.js';
import { schemes } from '../../../src/schemes/index.js';
import type { AccessName, EdgeName, Shape } from '../../litmus/cycles.js';

const modes: Record<string, AtomicMode> = { '': 'relaxed', A: 'acquire', L: 'release', AL: 'full' };
const fns = { Swp: 'xchg', Add: 'add', Set: 'or', Cas: 'cas' } as const;

/** Accesses that kernel steps have too, and edges. */
export const accessNames = [
  'R', 'RA', 'W', 'WL', 'Swp', 'SwpA', 'SwpL', 'SwpAL', 'Add', 'AddA', 'AddL', 'SetAL', 'Cas', 'CasA', 'CasL', 'CasAL',
] as const satisfies readonly AccessName[]; // biome-ignore format: a list
export const edgeNames = [
  'po', 'dmb.sy', 'dmb.ld', 'dmb.st', 'dsb.sy', 'dsb.ld', 'dsb.st', 'isb', 'addr', 'data', 'ctrl', 'ctrlisb', 'addr-po',
  'addr-isb', 'data-rfi-addr', 'ctrl-rfi-addr', 'addr-rfi-addr', 'data-rfi-data', 'ctrl-rfi-ctrl',
] as const satisfies readonly EdgeName[]; // biome-ignore format: a list

/** What an access reads; undefined for a store. */
function* access(
  name: AccessName,
  on: Place,
  value: number,
  deps: Deps,
): Kernel<number | undefined> {
  const addr = deps.addr === undefined ? {} : { addr: deps.addr };
  if (name === 'R' || name === 'RA')
    return yield { op: 'read', on, mode: name === 'R' ? 'once' : 'acquire', ...addr };
  if (name === 'W' || name === 'WL') {
    yield { op: 'write', on, value, mode: name === 'W' ? 'once' : 'release', ...deps };
    return undefined;
  }
  const fn = fns[name.slice(0, 3) as keyof typeof fns];
  return yield { op: 'rmw', on, fn, value, expect: 0, mode: modes[name.slice(3)]!, ...deps };
}

const fence = (mode: FenceMode): Step => ({ op: 'fence', mode });
const dmb: Record<string, FenceMode> = { sy: 'ish', ld: 'ishld', st: 'ishst' };

/** The edge behind a read of `from` (undefined: behind a store); `own` is a word nobody else touches. Gives the second access's dependencies. */
function* edge(name: EdgeName, from: Place | undefined, own: Place, shown: number[]): Kernel<Deps> {
  const barrier = /^(dmb|dsb)\.(sy|ld|st)$/.exec(name);
  if (barrier) yield fence(`${barrier[1]} ${dmb[barrier[2]!]}` as FenceMode);
  if (name === 'isb') yield fence('isb');
  if (from === undefined) return {};
  const [into, rfi, then] = name.split('-');
  if (rfi === 'rfi') {
    if (into === 'ctrl') yield { op: 'branch', on: from };
    const deps = into === 'ctrl' ? {} : { [into!]: from };
    yield { op: 'write', on: own, value: 1, mode: 'once', ...deps };
    shown.push(yield { op: 'read', on: own, mode: 'once' });
    if (then === 'ctrl') yield { op: 'branch', on: own };
    return then === 'ctrl' ? {} : { [then!]: own };
  }
  if (name === 'ctrl' || name === 'ctrlisb') yield { op: 'branch', on: from };
  if (name === 'ctrlisb') yield fence('isb');
  if (name === 'addr-po') yield { op: 'write', on: own, value: 1, mode: 'once', addr: from };
  if (name === 'addr-isb') {
    shown.push(yield { op: 'read', on: own, mode: 'once', addr: from });
    yield fence('isb');
  }
  return name === 'addr' || name === 'data' ? { [name]: from } : {};
}

/** The cycle as a system, and the words to look at when it has ended: what was read, then the locations. */
export function cycleSystem(shapes: readonly Shape[]): { sys: System; words: Place[] } {
  const sys = newSystem(schemes.none);
  const n = shapes.filter((s) => s.second).length;
  const at = Array.from({ length: n }, (_, i) => region(sys, `x${i}`));
  const out: Place[] = [];
  let next = 0;
  shapes.forEach(({ first, edge: name, second }, who) => {
    const [here, there] = [at[next % n]!, at[(next + 1) % n]!];
    if (second) next++;
    const own = region(sys, `z${who}`);
    const results = region(sys, `out ${who}`, 3, 'entries');
    const shows = (a: AccessName | undefined): boolean => a !== undefined && !/^W/.test(a);
    const between = shows(first) && second && (name === 'addr-isb' || name.includes('-rfi-')) ? 1 : 0; // biome-ignore format: one line
    const reads = Number(shows(first)) + between + Number(shows(second));
    for (let i = 0; i < reads; i++) out.push(results + i);
    task(sys, `P${who}`, who, function* () {
      const shown: number[] = [];
      const a = yield* access(first, here, who + 1, {});
      if (a !== undefined) shown.push(a);
      if (second) {
        const deps = yield* edge(name, a === undefined ? undefined : here, own, shown);
        const b = yield* access(second, there, who + 5, deps);
        if (b !== undefined) shown.push(b);
      }
      for (const [i, value] of shown.entries()) yield { op: 'write', on: results + i, value, mode: 'once' }; // biome-ignore format: one line
    });
  });
  return { sys, words: [...out, ...at] };
}

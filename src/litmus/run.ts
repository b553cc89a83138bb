import { arm64 } from '../engines/memory/arm64.js';
import type { FinalState, Outcomes, Program } from '../engines/memory/program.js';
import { sc } from '../engines/memory/sc.js';
import { tso } from '../engines/memory/tso.js';
import { holds } from './condition.js';
import type { LitmusTest, Place, Quantifier } from './model.js';

/** Every memory model a litmus test can be run under. */
export const memoryModels = { sc, tso, arm64 } satisfies Record<string, (p: Program) => Outcomes>;

export type MemoryModel = keyof typeof memoryModels;

/** What a test does under one memory model; states as herd7 prints them. */
export interface LitmusResult {
  readonly name: string;
  readonly quantifier: Quantifier;
  /** Allow: some state satisfies the condition; Forbid: none; Require (forall only): all do. */
  readonly verdict: 'Allow' | 'Forbid' | 'Require';
  readonly observation: 'Always' | 'Sometimes' | 'Never';
  readonly states: readonly string[];
  readonly nstates: number;
  /** Present when a loop was cut off: the states are those of the shorter runs only. */
  readonly cutOff?: string;
  /** Nodes of the search. */
  readonly nodes: number;
}

const name = (p: Place): string => {
  if (p.kind === 'reg') return `${p.thread}:X${p.reg}`;
  return p.location.array ? `${p.location.name}[${p.index}]` : `[${p.location.name}]`;
};

/** A value as herd7 prints it: a location by its name, anything else as a decimal. */
function show(t: LitmusTest, p: Place, value: bigint): string {
  for (const l of t.locations.values()) {
    const offset = value - l.address;
    if (offset === 0n) return l.name;
    if (l.array && offset > 0n && l.size > 0 && offset < BigInt(l.size * l.init.length))
      return `${l.name}[${offset / BigInt(l.size)}]`;
  }
  const bits = p.kind === 'cell' && p.location.size > 0 ? 8 * p.location.size : 64;
  const signed = p.kind === 'reg' || p.location.signed;
  return `${signed ? BigInt.asIntN(bits, value) : BigInt.asUintN(bits, value)}`;
}

const compare = (a: FinalState, b: FinalState): number => {
  for (let i = 0; i < a.length; i++) {
    const [x, y] = [BigInt.asIntN(64, a[i]!), BigInt.asIntN(64, b[i]!)];
    if (x !== y) return x < y ? -1 : 1;
  }
  return 0;
};

function observe(total: number, positive: number): LitmusResult['observation'] {
  if (positive === 0) return 'Never';
  return positive === total ? 'Always' : 'Sometimes';
}

/** Run a litmus test under a memory model: every final state, and the verdict on its condition. */
export function runLitmus(t: LitmusTest, model: MemoryModel): LitmusResult {
  const outcomes = memoryModels[model](t.program);
  const index = new Map(t.shown.map((p, i) => [p, i]));
  const same = (p: Place): string => name(p);
  const byName = new Map(t.shown.map((p) => [same(p), index.get(p)!]));
  const reader =
    (s: FinalState) =>
    (p: Place): bigint =>
      s[byName.get(same(p))!]!;
  const kept = outcomes.states.filter((s) => !t.filter || holds(t.filter, reader(s))).sort(compare);
  const positive = kept.filter((s) => holds(t.condition, reader(s))).length;
  const observation = observe(kept.length, positive);
  const all = t.quantifier === 'forall' && observation === 'Always';
  const states = kept.map((s) =>
    t.shown.map((p, i) => `${name(p)}=${show(t, p, s[i]!)};`).join(' '),
  );
  return {
    name: t.name,
    quantifier: t.quantifier,
    verdict: all ? 'Require' : positive > 0 ? 'Allow' : 'Forbid',
    observation,
    states,
    nstates: states.length,
    ...(outcomes.cutOff ? { cutOff: `a loop went round more than ${t.program.unroll} times` } : {}),
    nodes: outcomes.nodes,
  };
}

import { arm64 } from '../engines/memory/arm64.js';
import type { FinalState, Outcomes, Program } from '../engines/memory/program.js';
import { sc } from '../engines/memory/sc.js';
import { tso } from '../engines/memory/tso.js';
import { holds } from './condition.js';
import { type LitmusTest, type Place, type Quantifier, SPAN, type Type } from './model.js';

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

const typeOf = (p: Place): Type => (p.kind === 'reg' ? p.type : p.location.type);

/** An address, as herd7 writes it: x, or x+4 four bytes behind it; undefined for a plain number. */
function symbol(t: LitmusTest, value: bigint): string | undefined {
  for (const l of t.locations.values()) {
    const offset = value - l.address;
    if (offset === 0n) return l.name;
    if (offset > 0n && offset < SPAN) return `${l.name}+${offset}`;
  }
  return undefined;
}

const cast = ({ bytes, signed }: Type, v: bigint): bigint =>
  signed ? BigInt.asIntN(8 * bytes, v) : BigInt.asUintN(8 * bytes, v);

/** '1:X0=1;', '[x]=1;', 'a[1]=1;', 'a={1,2};': an address by its name, a number as its type says. */
function show(t: LitmusTest, p: Place, values: readonly bigint[]): string {
  const text = values.map((v) => symbol(t, v) ?? `${cast(typeOf(p), v)}`);
  if (p.kind === 'reg') return `${p.thread}:X${p.reg}=${text};`;
  const { name, array } = p.location;
  if (p.kind === 'element') return `${name}[${p.index}]=${text};`;
  return array ? `${name}={${text}};` : `[${name}]=${text};`;
}

const compare = (a: readonly bigint[], b: readonly bigint[]): number => {
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

/** Are two values equal at a place? Numbers in the width of its type, addresses whole. */
const equalIn =
  (t: LitmusTest) =>
  (p: Place, a: bigint, b: bigint): boolean => {
    if (symbol(t, a) !== undefined || symbol(t, b) !== undefined) return a === b;
    return cast(typeOf(p), a) === cast(typeOf(p), b);
  };

/** Run a litmus test under a memory model: every final state, and the verdict on its condition. */
export function runLitmus(t: LitmusTest, model: MemoryModel): LitmusResult {
  const outcomes = memoryModels[model](t.program);
  const equal = equalIn(t);
  const ok = (k: LitmusTest['condition'], s: FinalState): boolean =>
    holds(k, (p) => t.values(p, s), equal);
  const kept = outcomes.states.filter((s) => !t.filter || ok(t.filter, s));
  const shown = new Map(
    kept.map((s) => {
      const values = t.shown.map((p) => t.values(p, s));
      return [values.join(';'), { values, positive: ok(t.condition, s) }];
    }),
  );
  const states = [...shown.values()].sort((a, b) => compare(a.values.flat(), b.values.flat()));
  const positive = states.filter((s) => s.positive).length;
  const observation = observe(states.length, positive);
  const all = t.quantifier === 'forall' && observation === 'Always';
  return {
    name: t.name,
    quantifier: t.quantifier,
    verdict: all ? 'Require' : positive > 0 ? 'Allow' : 'Forbid',
    observation,
    states: states.map(({ values }) => t.shown.map((p, i) => show(t, p, values[i]!)).join(' ')),
    nstates: states.length,
    ...(outcomes.cutOff ? { cutOff: `a loop went round more than ${t.program.unroll} times` } : {}),
    nodes: outcomes.nodes,
  };
}

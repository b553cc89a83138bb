// What stands behind the table of instructions: locations, filter, and the condition with its quantifier.
import { condition, place, type Scope } from './condition.js';
import type { Condition, Place, Quantifier } from './model.js';
import { accept, type Cursor, cursor, expect, fail, peek, type SourceText, wanted } from './source.js'; // biome-ignore format: one line
import { typeName } from './types.js';

export interface Tail {
  readonly listed: Place[];
  readonly filter: Condition | undefined;
  readonly quantifier: Quantifier;
  readonly condition: Condition;
}

/** 'locations [x; 0:X1 uint64_t;]'; the types are litmus7's, for its C code. */
function locations(c: Cursor, scope: Scope): Place[] {
  const listed: Place[] = [];
  if (!accept(c, 'locations')) return listed;
  expect(c, '[', "behind 'locations'");
  while (!accept(c, ']')) {
    listed.push(place(c, scope));
    if (peek(c).kind === 'name') typeName(c);
    accept(c, '*');
    if (!accept(c, ';') && peek(c).text !== ']') wanted(c, "';' or ']'");
  }
  return listed;
}

function quantifier(c: Cursor): Quantifier {
  if (accept(c, 'exists') || accept(c, 'final') || peek(c).text === '(') return 'exists';
  if (accept(c, 'forall')) return 'forall';
  if (!accept(c, '~') && !accept(c, 'not')) wanted(c, 'exists, ~exists or forall');
  expect(c, 'exists', "behind '~'");
  return '~exists';
}

/** Read text[from..): as for herd7, a test without a condition asks 'forall (true)'. */
export function readTail(source: SourceText, from: number, scope: Scope): Tail {
  const c = cursor(source, from, source.text.length);
  const listed = locations(c, scope);
  const filter = accept(c, 'filter') ? condition(c, scope) : undefined;
  if (peek(c).kind === 'end')
    return { listed, filter, quantifier: 'forall', condition: { op: 'true' } };
  const q = quantifier(c);
  const known = scope.names.locations.size;
  const k = condition(c, scope);
  if (scope.names.locations.size > known)
    fail(source, from, 'the condition names an unknown location');
  accept(c, ';');
  if (peek(c).kind !== 'end') wanted(c, 'the end of the file');
  return { listed, filter, quantifier: q, condition: k };
}

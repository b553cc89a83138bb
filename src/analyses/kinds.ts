import type { RecordBatch } from 'apache-arrow';
import { probeAt } from '../events/shapes.js';
import { cursor, dictValues, has, type Trace } from '../events/trace.js';

/**
 * Tells which of `known` events each row is, as an index into `known`, or -1. A probe that its
 * recorder gave another name is known by the function it sits on.
 */
export function kindsOf(trace: Trace, known: readonly string[]): (b: RecordBatch) => Int8Array {
  const byEvent = dictValues(trace, 'event').map((n) => known.indexOf(n));
  const byPlace = dictValues(trace, 'at').map((at) => known.indexOf(probeAt(at) ?? ''));
  return (b) => {
    const event = cursor(b, 'event').values;
    const at = cursor(b, 'at');
    const kinds = new Int8Array(b.numRows);
    for (let i = 0; i < kinds.length; i++) {
      const k = byEvent[event[i]!]!;
      kinds[i] = k < 0 && has(at, i) ? byPlace[at.values[i]!]! : k;
    }
    return kinds;
  };
}

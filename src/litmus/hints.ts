// Instructions that no final state of a test depends on, and why: hints and prefetches change no memory and order nothing;
// caches are coherent for data, so that their maintenance changes no value read (the barriers around it still count); and
// without page tables in a test there is nothing a TLB could keep. What stores (DC ZVA) or loses data (DC IVAC) is none.
import { address, flexible } from './operands.js';
import { accept, type Cursor, fail, nameToken, peek } from './source.js';

const hints = new Set(['NOP', 'YIELD', 'WFE', 'SEV', 'SEVL', 'CSDB', 'BTI']);
const maintenance: Readonly<Record<string, RegExp>> = {
  DC: /^(CVAC|CVAU|CVAP|CVADP|CIVAC)$/,
  IC: /^(IVAU|IALLU|IALLUIS)$/,
  TLBI: /^(VM|AL|VA|AS|IPAS2|RIPAS2|RVA|PA|RPA)[A-Z0-9]*$/,
};

/** The instruction `word`, if it is one of these: read, and nothing emitted. */
export function effectless(c: Cursor, word: string): boolean {
  if (hints.has(word)) {
    if (peek(c).kind === 'name') nameToken(c, 'a kind of branch');
    return true;
  }
  if (word === 'PRFM' || word === 'PRFUM') {
    nameToken(c, 'what to prefetch');
    if (!accept(c, ',')) fail(c.source, peek(c).at, "expected ',' between operands");
    address(c);
    return true;
  }
  const known = maintenance[word];
  if (!known) return false;
  const t = nameToken(c, 'an operation');
  if (!known.test(t.text.toUpperCase()))
    fail(c.source, t.at, `'${word} ${t.text}' is not supported`);
  if (accept(c, ',')) flexible(c);
  return true;
}

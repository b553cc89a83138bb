import { find } from './eval.js';
import type { Field } from './format.js';
import { putInt, putText } from './out.js';
import { ip4, ip6, ip6Short } from './pointers.js';
import { found, rec, words } from './record.js';

const inet = 2;
const inet6 = 10;

const big16 = (at: number): number => (rec.bytes[at]! << 8) | rec.bytes[at + 1]!;

/** A struct sockaddr_in6: '[::1]:80/flow%scope', each part where its letter asks for it. */
function putInet6(start: number, letters: string, little: boolean): void {
  const brackets = /[pfs]/.test(letters);
  if (brackets) putText('[');
  if (letters.includes('c')) ip6Short(start + 8);
  else ip6(true)(start + 8);
  if (brackets) putText(']');
  if (letters.includes('p')) {
    putText(':');
    putInt(big16(start + 2));
  }
  if (letters.includes('f')) {
    putText('/');
    putInt(((big16(start + 4) & 0xf) << 16) | big16(start + 6)); // the label is the low 20 bits
  }
  if (letters.includes('s')) {
    putText('%');
    putInt(words(little)[4](start + 24) >>> 0);
  }
}

/**
 * Code for %pIS and its letters (p port, f flow, s scope, c short form): a socket's address. Null for
 * another conversion. C: lib/vsprintf.c ip_addr_string().
 */
export function socketCode(extension: string, f: Field | undefined, little: boolean) {
  const letters = /^IS([pfsc]*)$/.exec(extension)?.[1];
  if (letters === undefined || !f) return null;
  return () => {
    find(f, little);
    const { start, end } = found;
    const family = end - start < 2 ? 0 : words(little)[2](start);
    if (family === inet && end - start >= 8) {
      ip4(start + 4);
      if (!letters.includes('p')) return;
      putText(':');
      putInt(big16(start + 2));
    } else if (family === inet6 && end - start >= 28) putInet6(start, letters, little);
    else putText('(einval)');
  };
}

/** A conversion of a format string, with the literal text before it. */
export interface Conversion {
  readonly literal: string;
  /** '-', '0', '+', ' ', '#' in any order. */
  readonly flags: string;
  /** -1: none; -2: an argument. */
  readonly width: number;
  readonly precision: number;
  readonly length: string;
  /** d i u x X o c s p; 'end' for the literal behind the last one. */
  readonly type: string;
  /** Letters behind %p. */
  readonly extension: string;
}

const conversion = /%([-+ #0]*)(\d+|\*)?(?:\.(\d+|\*)?)?(hh|h|ll|l|L|z|t|j|q)?([diouxXcsp%])/g;

/** The letters behind %p: 'S', 'I4', 'M' ... The kernel takes all there are, known to it or not. */
const pointerKind = (rest: string): string => /^[A-Za-z0-9]*/.exec(rest)![0];

/** The conversions of a format string, and last the literal behind them. */
export function conversions(format: string): Conversion[] {
  const found: Conversion[] = [];
  let literal = '';
  let from = 0;
  conversion.lastIndex = 0;
  for (let m = conversion.exec(format); m; m = conversion.exec(format)) {
    literal += format.slice(from, m.index);
    from = conversion.lastIndex;
    if (m[5] === '%') {
      literal += '%';
      continue;
    }
    const extension = m[5] === 'p' ? pointerKind(format.slice(from)) : '';
    from += extension.length;
    conversion.lastIndex = from;
    const number = (s: string | undefined): number =>
      s === undefined ? -1 : s === '*' ? -2 : Number(s);
    const dot = /\./.test(m[0]);
    found.push({
      literal,
      flags: m[1]!,
      width: number(m[2]),
      precision: dot ? (m[3] === undefined ? 0 : number(m[3])) : -1,
      length: m[4] ?? '',
      type: m[5]!,
      extension,
    });
    literal = '';
  }
  literal += format.slice(from);
  found.push({
    literal,
    flags: '',
    width: -1,
    precision: -1,
    length: '',
    type: 'end',
    extension: '',
  });
  return found;
}

// The queue of what happens when: a binary heap over typed arrays, by time and then by order of arrival.

/** Things to come: `code` says what, `who` to whom, `version` whether it still holds. */
export interface Agenda {
  time: Float64Array;
  order: Float64Array;
  code: Int32Array;
  who: Int32Array;
  version: Int32Array;
  size: number;
  count: number;
}

export const newAgenda = (): Agenda => ({
  time: new Float64Array(64),
  order: new Float64Array(64),
  code: new Int32Array(64),
  who: new Int32Array(64),
  version: new Int32Array(64),
  size: 0,
  count: 0,
});

function grow(a: Agenda): void {
  const n = a.time.length * 2;
  const wide = (from: Float64Array): Float64Array => {
    const to = new Float64Array(n);
    to.set(from);
    return to;
  };
  const narrow = (from: Int32Array): Int32Array => {
    const to = new Int32Array(n);
    to.set(from);
    return to;
  };
  a.time = wide(a.time);
  a.order = wide(a.order);
  a.code = narrow(a.code);
  a.who = narrow(a.who);
  a.version = narrow(a.version);
}

const before = (a: Agenda, i: number, j: number): boolean =>
  a.time[i]! < a.time[j]! || (a.time[i] === a.time[j] && a.order[i]! < a.order[j]!);

function swap(a: Agenda, i: number, j: number): void {
  const { time, order, code, who, version } = a;
  const [t, o, c, w, v] = [time[i]!, order[i]!, code[i]!, who[i]!, version[i]!];
  time[i] = time[j]!;
  order[i] = order[j]!;
  code[i] = code[j]!;
  who[i] = who[j]!;
  version[i] = version[j]!;
  time[j] = t;
  order[j] = o;
  code[j] = c;
  who[j] = w;
  version[j] = v;
}

/** Add something at `time`. */
export function add(a: Agenda, time: number, code: number, who: number, version: number): void {
  if (a.size === a.order.length) grow(a);
  let i = a.size++;
  a.time[i] = time;
  a.order[i] = a.count++;
  a.code[i] = code;
  a.who[i] = who;
  a.version[i] = version;
  while (i > 0 && before(a, i, (i - 1) >> 1)) {
    swap(a, i, (i - 1) >> 1);
    i = (i - 1) >> 1;
  }
}

/** Remove the first; it then stands at index `size`, whose arrays may be read until the next `add`. */
export function take(a: Agenda): number {
  const last = --a.size;
  swap(a, 0, last);
  for (let i = 0; ; ) {
    const left = 2 * i + 1;
    if (left >= last) break;
    const child = left + 1 < last && before(a, left + 1, left) ? left + 1 : left;
    if (!before(a, child, i)) break;
    swap(a, i, child);
    i = child;
  }
  return last;
}

/** Bits of common_flags. */
const bit = {
  irqsOff: 0x01,
  lazy: 0x02, // 6.13 and later; before, 'not supported'
  needResched: 0x04,
  hardirq: 0x08,
  softirq: 0x10,
  preemptResched: 0x20,
  nmi: 0x40,
  bhOff: 0x80,
};

const reschedLetters = '.pnNlLbB';

/**
 * The flag columns as tracefs prints them: irqs-off, need-resched, context, preempt depth and, from
 * 5.15 on, migrate-disable depth.
 */
export function flagText(
  flags: number,
  preempt: number,
  kernel: readonly [number, number],
): string {
  const atLeast = (major: number, minor: number): boolean =>
    kernel[0] > major || (kernel[0] === major && kernel[1] >= minor);
  const has = (b: number): boolean => (flags & b) !== 0;
  const lazy = atLeast(6, 13);
  const irqs =
    has(bit.irqsOff) && has(bit.bhOff)
      ? 'D'
      : has(bit.irqsOff)
        ? 'd'
        : has(bit.bhOff)
          ? 'b'
          : !lazy && has(bit.lazy)
            ? 'X'
            : '.';
  const resched =
    (has(bit.preemptResched) ? 1 : 0) +
    (has(bit.needResched) ? 2 : 0) +
    (lazy && has(bit.lazy) ? 4 : 0);
  const soft = has(bit.softirq);
  const context = has(bit.nmi)
    ? has(bit.hardirq)
      ? 'Z'
      : 'z'
    : has(bit.hardirq)
      ? soft
        ? 'H'
        : 'h'
      : soft
        ? 's'
        : '.';
  const depth = (n: number): string => (n === 0 ? '.' : n.toString(16));
  const head = `${irqs}${reschedLetters[resched]}${context}`;
  return atLeast(5, 15) ? head + depth(preempt & 15) + depth(preempt >> 4) : head + depth(preempt);
}

/** 'Linux host 6.12.117-vmtest aarch64' -> '6.12.117-vmtest'. */
export const releaseOf = (uname: string): string | null =>
  /\b\d+\.\d+\S*/.exec(uname.replace(/^\S+\s+\S+\s+/, ''))?.[0] ?? null;

/**
 * [6, 12] of a release. A file that names none (trace-cmd split drops it) is of 5.15 at least if its
 * kernel has the event `osnoise`, which came in 5.14; else it is taken for an old one.
 */
export function versionOf(
  release: string | null,
  formats: readonly { readonly system: string; readonly text: string }[],
): [number, number] {
  const m = /^(\d+)\.(\d+)/.exec(release ?? '');
  if (m) return [Number(m[1]), Number(m[2])];
  const young = formats.some((f) => f.system === 'ftrace' && /^name: osnoise$/m.test(f.text));
  return young ? [5, 15] : [0, 0];
}

/** Spread of a list: the elements at floor(p n) of the sorted list. */
export interface Quantiles {
  readonly n: number;
  readonly min: number;
  readonly p50: number;
  readonly p90: number;
  readonly p99: number;
  readonly max: number;
}

/** Quantiles of a list, null if it is empty. */
export function quantiles(list: readonly number[]): Quantiles | null {
  if (list.length === 0) return null;
  const sorted = Float64Array.from(list).sort();
  const at = (p: number): number => sorted[Math.floor(p * sorted.length)]!;
  const [min, max] = [sorted[0]!, sorted[sorted.length - 1]!];
  return { n: sorted.length, min, p50: at(0.5), p90: at(0.9), p99: at(0.99), max };
}

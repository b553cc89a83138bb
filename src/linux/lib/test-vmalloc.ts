// The module lib/test_vmalloc.c around its tests: order, repeats, results. C: lib/test_vmalloc.c (6.12, 7.x).
import type { Geometry } from '../arm64/geometry.js';
import { below, type Random, random } from '../random.js';
import {
  loops,
  type TestContext,
  type TestParameters,
  type TestVersion,
  tests,
} from './test-vmalloc-cases.js';
import type { Workload } from './workload.js';

export {
  defaultParameters,
  type TestParameters,
  type TestVersion,
  tests,
} from './test-vmalloc-cases.js';

/** Sattolo's shuffle: one cycle, nothing stays where it was. C: shuffle_array() */
export function shuffle(n: number, r: Random): number[] {
  const order = Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = below(r, i);
    [order[i], order[j]] = [order[j]!, order[i]!];
  }
  return order;
}

/** What one test of one worker gave. */
export interface TestResult {
  readonly name: string;
  passed: number;
  failed: number;
  xfailed: number;
}

/** One worker thread: its tests in order, each test_repeat_count times. C: test_func() */
export function* worker(
  version: TestVersion,
  p: TestParameters,
  machine: { geometry: Geometry; onlineCpus: number },
  seed: number | string,
): Workload<TestResult[]> {
  const list = tests(version);
  const r = random(`test_vmalloc ${seed}`);
  const order = p.sequential_test_order ? list.map((_, i) => i) : shuffle(list.length, r);
  const results: TestResult[] = [];
  for (const i of order) {
    if (((p.run_test_mask >>> i) & 1) === 0) continue;
    const test = list[i]!;
    const result: TestResult = { name: test.name, passed: 0, failed: 0, xfailed: 0 };
    for (let k = 0; k < Math.max(1, p.test_repeat_count); k++) {
      const ret = yield* test.run({ p, ...machine, random: r });
      if (ret === 0) result.passed++;
      else if (version === '7.x' && test.xfail) result.xfailed++;
      else result.failed++;
    }
    results.push(result);
  }
  return results;
}

/** The line the module prints for a test; `avg_us` is the time of one repeat. */
export function summary(
  version: TestVersion,
  p: TestParameters,
  r: TestResult,
  avg_us: number,
): string {
  const xfailed = version === '7.x' ? ` xfailed: ${r.xfailed}` : '';
  return (
    `Summary: ${r.name} passed: ${r.passed} failed: ${r.failed}${xfailed} ` +
    `repeat: ${Math.max(1, p.test_repeat_count)} loops: ${loops({ p } as TestContext)} ` +
    `avg: ${Math.round(avg_us)} usec`
  );
}

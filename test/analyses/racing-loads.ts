// Workloads of lib/test_vmalloc.c and of vmix for the racing kernel.
import { below, next32, uniform } from '../../src/linux/random.js';
import { purge, type Racing, spawn, vfree, vmalloc } from './racing-kernel.js';

type Areas = NonNullable<ReturnType<typeof vmalloc> extends Generator<void, infer A> ? A : never>;
type Body = Generator<void, void>;

function* pairs(k: Racing, n: number, make: () => ReturnType<typeof vmalloc>): Body {
  for (let i = 0; i < n; i++) {
    const a = yield* make();
    if (a) yield* vfree(k, a);
  }
}

/** kvfree_rcu: workers free what was handed over, some time later, on any CPU. */
function* kvfreeRcu(k: Racing, n: number): Body {
  let queue: Areas[] = [];
  for (let i = 0; i < n; i++) {
    const a = yield* vmalloc(k, 1);
    if (a) queue.push(a);
    if (queue.length >= 60) {
      const batch = queue;
      queue = [];
      const cpu = below(k.r, k.cpus);
      spawn(k, `kworker/${cpu}:2`, cpu, true, function* () {
        for (const x of batch) yield* vfree(k, x);
      });
    }
  }
  for (const x of queue) yield* vfree(k, x);
}

function* mix(
  k: Racing,
  n: number,
  slots: number,
  huge: number,
  small: number,
  purgeEvery: number,
  lacks: number,
): Body {
  const held: (Areas | undefined)[] = Array(slots).fill(undefined);
  for (let i = 0; i < n; i++) {
    const s = below(k.r, slots);
    const old = held[s];
    if (old) {
      yield* vfree(k, old);
      held[s] = undefined;
    } else if (uniform(k.r) < huge)
      held[s] = yield* vmalloc(k, 512 * (1 + below(k.r, 2)), 1, true, lacks);
    else held[s] = yield* vmalloc(k, 1 + below(k.r, small));
    if (purgeEvery && i % purgeEvery === 0) yield* purge(k, false);
  }
  for (const a of held) if (a) yield* vfree(k, a);
}

function* keepAndLoop(k: Racing, keep: number, n: number): Body {
  const kept: Areas[] = [];
  for (let i = 0; i < keep; i++) kept.push((yield* vmalloc(k, 1))!);
  for (let i = 0; i < n; i++) {
    const a = yield* vmalloc(k, 100);
    const b = yield* vmalloc(k, 1);
    if (a) yield* vfree(k, a);
    if (b) yield* vfree(k, b);
  }
  for (const a of kept) yield* vfree(k, a);
}

function* alignShift(k: Racing): Body {
  for (let i = 0; i < 52; i++) {
    const a = yield* vmalloc(k, 1, 2 ** Math.max(0, i - 12));
    if (!a) break;
    yield* vfree(k, a);
  }
}

/** Workloads by name: a body for one thread. */
export const loads: Record<string, (k: Racing) => Body> = {
  t1: (k) => pairs(k, 2000, () => vmalloc(k, 1)),
  t1p4: (k) => pairs(k, 2000, () => vmalloc(k, 4)),
  t1h: (k) => pairs(k, 400, () => vmalloc(k, 512, 1, true)),
  t1h1024: (k) => pairs(k, 300, () => vmalloc(k, 1024, 1, true)),
  t4: (k) => keepAndLoop(k, 1500, 500),
  t8: (k) => pairs(k, 1500, () => vmalloc(k, 1 + below(k.r, 100))),
  t16: (k) => pairs(k, 1500, () => vmalloc(k, 5, 16)),
  t32: (k) =>
    pairs(k, 1000, () => {
      const rnd = next32(k.r) & 255;
      return vmalloc(k, (rnd % 10) + 1, 2 ** Math.max(0, (rnd % 23) - 12));
    }),
  t64: (k) => alignShift(k),
  t256: (k) => kvfreeRcu(k, 2000),
  mix: (k) => mix(k, 1000, 32, 0.25, 600, 0, 0),
  mixs: (k) => mix(k, 1000, 32, 0.2, 60, 13, 0),
  lacks: (k) => mix(k, 600, 32, 0.4, 300, 29, 0.3),
};

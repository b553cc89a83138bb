import { profiles } from '../../src/engines/cost.js';
import { logSink } from '../../src/engines/sim-log.js';
import { type Simulated, simulate } from '../../src/engines/simulate.js';
import { memoryWriter } from '../../src/events/file.js';
import { newMeta } from '../../src/events/meta.js';
import type { Trace } from '../../src/events/trace.js';
import { type EraName, eras } from '../../src/linux/eras.js';
import type { CallContext, Gfp } from '../../src/linux/mm/gfp.js';
import { lock } from '../../src/linux/system.js';
import { contextCalls } from '../../src/scenarios/contexts.js';
import { timedSystem } from '../../src/scenarios/timed.js';
import { schemes } from '../../src/schemes/index.js';

const mesh = profiles['mesh-server'];
/** A reader that reads the dump with short rests. */
const busy = {
  ...mesh,
  own: { ...mesh.own, 'next read': { dist: { median_ns: 20000, sigma: 0.3 }, source: 'test' } },
};

/** Callers in a context beside readers of the dump, as a trace. */
export function runContext(o: {
  scheme: keyof typeof schemes;
  era: EraName;
  gfp: Gfp;
  context: CallContext;
  whatIf?: boolean;
  readers?: number;
  loops?: number;
  seed?: string;
}): { trace: Trace; result: Simulated } {
  const { gfp, context, whatIf = false, readers = 1, loops = 40, seed = '1' } = o;
  const cpus = 4;
  const { sys } = timedSystem({
    scheme: schemes[o.scheme],
    era: eras[o.era],
    cpus,
    readers,
    dump: { rest_entries: 20000, walks_per_read: 2 },
    callers: [
      {
        name: 'caller',
        cpu: 0,
        run: (vm) => {
          const spin = lock(vm.sys, "caller's lock");
          return contextCalls(vm, { gfp, context, whatIf, loops, lock: spin }, 0);
        },
      },
    ],
  });
  const meta = newMeta('context', 'run');
  meta.run = { scheme: o.scheme, scenario: 'context', era: o.era, seed, cost_model: 'mesh-server' };
  const writer = memoryWriter(meta);
  const result = simulate(sys, { profile: busy, seed, sink: logSink(writer.log), cpus });
  return { trace: writer.finish(meta), result };
}

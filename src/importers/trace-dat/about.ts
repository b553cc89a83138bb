import { addLoss, type TraceMeta } from '../../events/meta.js';
import { type Dat, optionId, optionText } from './dat.js';
import { releaseOf } from './flags.js';

/** Names of threads by id, from saved_cmdlines. */
export function commandLines(text: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const m of text.matchAll(/^\s*(\d+) (.*)$/gm)) found.set(Number(m[1]), m[2]!);
  return found;
}

/** 'entries', 'overrun' ... of the CPUs' stats files, as trace-cmd saved them. */
export function addStats(dat: Dat, meta: TraceMeta): void {
  for (const o of dat.options) {
    if (o.id !== optionId.cpuStat) continue;
    const text = optionText(o);
    const value = (name: string): number =>
      Number(new RegExp(`^${name}: (\\d+)$`, 'm').exec(text)?.[1] ?? 0);
    const cpu = value('CPU');
    const lost = value('overrun') + value('commit overrun') + value('dropped events');
    const stated = value('entries') + value('read events');
    meta.stated = (meta.stated ?? 0) + stated;
    meta.stated_per_cpu[cpu] = (meta.stated_per_cpu[cpu] ?? 0) + stated;
    // The pages mark the same losses; what they do not show was lost at the end.
    const known = meta.lost_per_cpu[cpu] ?? 0;
    if (lost > known) addLoss(meta, cpu, lost - known);
  }
}

/** Clock, kernel and CPUs, as the file's options say. */
export function describe(dat: Dat, meta: TraceMeta): void {
  const text = (id: number): string | undefined => {
    const o = dat.options.find((x) => x.id === id);
    return o && optionText(o);
  };
  const clock = text(optionId.traceClock);
  const named = dat.buffers.find((b) => b.clock)?.clock;
  meta.clock = named ?? /\[(\w+)\]/.exec(clock ?? '')?.[1] ?? null;
  const uname = text(optionId.uname);
  if (uname !== undefined) meta.kernel ??= releaseOf(uname);
  const count = dat.options.find((o) => o.id === optionId.cpuCount);
  const cpus = Math.max(0, ...dat.buffers.map((b) => b.cpus.length));
  const stated = count && count.data.length >= 4 ? count.data[dat.little ? 0 : 3]! : 0;
  meta.cpus = Math.max(stated, cpus) || null;
}

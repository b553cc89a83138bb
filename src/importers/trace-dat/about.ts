import { addLoss, type TraceMeta } from '../../events/meta.js';
import { accessOf, FormatError } from '../importer.js';
import { newCursor, string0, u32, u64 } from './cursor.js';
import { cpuCount, type Dat, type DatOption, optionId, optionText } from './dat.js';
import { releaseOf } from './flags.js';

/** Names of threads by id, from saved_cmdlines. */
export function commandLines(text: string): Map<number, string> {
  const found = new Map<number, string>();
  for (const m of text.matchAll(/^\s*(\d+) (.*)$/gm)) found.set(Number(m[1]), m[2]!);
  return found;
}

/** Process of threads by id; some builds of trace-cmd save that as an option: lines of 'pid tgid'. */
export function threadGroups(dat: Dat): Map<number, number> {
  const found = new Map<number, number>();
  for (const o of dat.options) {
    const isCount = o.id === optionId.cpuCount && o.data.length <= 8;
    if (isCount || (o.id !== optionId.cpuCount && o.id !== optionId.tgids)) continue;
    for (const m of optionText(o).matchAll(/^\s*(\d+)\s+(\d+)\s*$/gm)) {
      found.set(Number(m[1]), Number(m[2]));
    }
  }
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
  const cpus = Math.max(0, ...dat.buffers.map((b) => b.cpus.length));
  meta.cpus = Math.max(cpuCount(dat.options, dat.little) ?? 0, cpus) || null;
  const clocks = new Set(dat.buffers.map((b) => b.clock).filter((c) => c !== null));
  if (clocks.size > 1) {
    const list = [...clocks].join(', ');
    meta.notes.push(`its buffers have different clocks (${list}): their order may mean nothing`);
  }
  noteSession(dat, meta.notes);
}

/** The session of hosts and guests that the trace is part of. */
function noteSession(dat: Dat, notes: string[]): void {
  const cursor = (o: DatOption) => newCursor(accessOf(o.data), 0, dat.little);
  const guests = dat.options.filter((o) => o.id === optionId.guest);
  const id = dat.options.findLast((o) => o.id === optionId.traceId && o.data.length >= 8);
  const session = guests.length > 0 || dat.options.some((o) => o.id === optionId.timeShift);
  if (id && session) notes.push(`its trace id is ${u64(cursor(id))}`);
  for (const o of guests) {
    try {
      const c = cursor(o);
      const name = string0(c);
      const guest = u64(c);
      const count = u32(c);
      const shown = Array.from({ length: Math.min(count, 64) }, () => `${u32(c)}: ${u32(c)}`);
      const more = count > shown.length ? ', ...' : '';
      notes.push(
        `guest ${JSON.stringify(name)}, trace id ${guest}; host task of each of its CPUs: ${shown.join(', ')}${more}`,
      );
    } catch (e) {
      if (!(e instanceof FormatError)) throw e;
      notes.push(`what it says of a guest is damaged: ${e.message}`);
    }
  }
}

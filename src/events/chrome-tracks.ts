import { cursor, dictValues, has, type Trace } from './trace.js';

/** Where an event stands in Chrome's format: a thread of a process. */
export interface Place {
  readonly pid: number;
  readonly tid: number;
}

/** What the tracks of a trace are called. */
export interface Tracks {
  /** The track of an event; `source` is the id of its file, -1 if it names none. */
  placeOf(who: Who): Place;
  /** The track of the gaps of a CPU. */
  gapPlace(cpu: number | null, source: number): Place;
  /** Metadata events that name all processes and threads asked for, and put them in order. */
  metadata(): Generator<object>;
}

export interface Who {
  readonly pid: number | null;
  readonly cpu: number | null;
  readonly task: string | null;
  readonly source: number;
}

/**
 * Numbers of processes that Linux has none for, above each of its pids: the idle tasks of all CPUs,
 * which are all pid 0 to Linux but do not follow one another; events without a task; places of losses;
 * and pids that are no pids of Linux. Each source has a range of its own: its pid 7 is another task.
 */
const [idlePid, nobodyPid, lossPid, strangePid] = [1 << 23, 9 << 20, 10 << 20, 11 << 20];
const sourceRange = 1 << 24;
const mostSources = 255;
const mostCpus = 0xffff;

interface Process {
  name: string;
  /** Did a task give it its name? */
  named: boolean;
  readonly source: number;
  /** Place among the processes, where it is not their number's. */
  readonly index?: number;
}
interface Thread extends Place {
  name: string;
  readonly index?: number;
}

const cpuName = (cpu: number | null): string => (cpu === null ? 'a CPU not stated' : `CPU ${cpu}`);

/** A number for each pid that Linux cannot have, in the order in which they come. */
function strangers(): (pid: number) => number {
  const known = new Map<number, number>();
  return (pid) => {
    if (pid > 0 && pid < idlePid) return pid;
    const number = known.get(pid) ?? strangePid + known.size;
    known.set(pid, number);
    return number;
  };
}

const keyOf = (source: number, pid: number): string => `${source} ${pid}`;

/** The process of each thread, as the first event that states it does: a thread stays on its track. */
function groupsOf(trace: Trace): Map<string, number> {
  const groups = new Map<string, number>();
  for (const batch of trace.batches) {
    const [pid, tgid, source] = [
      cursor(batch, 'pid'),
      cursor(batch, 'tgid'),
      cursor(batch, 'source'),
    ];
    if (batch.getChild('tgid')!.nullCount === batch.numRows) continue;
    for (let i = 0; i < batch.numRows; i++) {
      if (!has(pid, i) || !has(tgid, i) || tgid.values[i] === 0) continue;
      const key = keyOf(has(source, i) ? source.values[i]! : -1, pid.values[i]!);
      if (!groups.has(key)) groups.set(key, tgid.values[i]!);
    }
  }
  return groups;
}

/** The tracks of a trace, by who it has seen so far. */
export function newTracks(trace: Trace): Tracks {
  const sources = dictValues(trace, 'source');
  const processes = new Map<number, Process>();
  const threads = new Map<number, Thread>();
  const groups = groupsOf(trace);
  const numberOf = strangers();
  const baseOf = (source: number): number =>
    source < 0 ? 0 : (1 + (source % (mostSources - 1))) * sourceRange;

  /** A track of a CPU in one of our own processes. */
  function ownPlace(
    pid: number,
    name: string,
    index: number,
    cpu: number | null,
    threadName: string,
    source: number,
  ): Place {
    const base = baseOf(source);
    const slot = cpu === null ? mostCpus + 1 : Math.min(cpu, mostCpus);
    const tid = base + pid + 1 + slot;
    const known = threads.get(tid);
    if (known) return known;
    processes.set(base + pid, { name, named: true, source, index });
    const thread = { pid: base + pid, tid, name: threadName, index: slot };
    threads.set(tid, thread);
    return thread;
  }

  function taskPlace(pid: number, task: string | null, source: number): Place {
    const base = baseOf(source);
    const tid = base + numberOf(pid);
    let thread = threads.get(tid);
    if (!thread) {
      const tgid = groups.get(keyOf(source, pid));
      thread = { pid: tgid === undefined ? tid : base + numberOf(tgid), tid, name: `pid ${pid}` };
      threads.set(tid, thread);
    }
    const named = task !== null && task !== '';
    if (named) thread.name = task;
    const process = processes.get(thread.pid);
    const leads = tid === thread.pid;
    if (!process || (named && (leads || !process.named)))
      processes.set(thread.pid, { name: thread.name, named, source });
    return thread;
  }

  return {
    placeOf({ pid, cpu, task, source }) {
      if (pid === null) return ownPlace(nobodyPid, 'no task stated', -1, cpu, cpuName(cpu), source);
      if (pid !== 0) return taskPlace(pid, task, source);
      const name = cpu === null ? 'swapper' : `swapper/${cpu}`;
      return ownPlace(idlePid, 'idle', -2, cpu, name, source);
    },
    gapPlace: (cpu, source) => ownPlace(lossPid, 'events missing', -3, cpu, cpuName(cpu), source),
    *metadata() {
      const event = (name: string, { pid, tid }: Place, args: object) => ({
        name,
        ph: 'M',
        pid,
        tid,
        args,
      });
      for (const t of threads.values()) {
        yield event('thread_name', t, { name: t.name });
        if (t.index !== undefined) yield event('thread_sort_index', t, { sort_index: t.index });
      }
      for (const [pid, p] of processes) {
        const place = { pid, tid: pid };
        const of = sources[p.source];
        yield event('process_name', place, {
          name: of === undefined ? p.name : `${p.name} (${of})`,
        });
        if (p.index !== undefined)
          yield event('process_sort_index', place, { sort_index: p.index });
      }
    },
  };
}

import type { Place } from './chrome-tracks.js';

/** What a row is to its track: an instant, a slice of a known length, or one end of a slice. */
export type Phase =
  | { readonly kind: 'instant' }
  | { readonly kind: 'whole'; readonly name: string; readonly dur_ns: number }
  | { readonly kind: 'begin' | 'end'; readonly group: string; readonly name: string | null };

interface Open {
  readonly group: string;
  readonly name: string;
}

interface Track {
  readonly place: Place;
  readonly open: Open[];
  /** A slice of a known length, until the next event shows how far it may reach. */
  whole: { event: object; dur_ns: number } | null;
  /** Where that slice begins, or the last one ended: nothing nests that begins before. */
  last: bigint;
}

/** Puts the events of all tracks in Chrome's terms; `put` gets each with its stamp. */
export interface Slices {
  add(place: Place, ts: bigint, event: string, phase: Phase, args: object): void;
  finish(): void;
}

/** Perfetto drops what is nested deeper than 512. */
const maxDepth = 500;

/**
 * Readers want slices that nest: an end closes the innermost open slice, and only one of the same name
 * and category; a slice of a known length that reaches into the next event is dropped. So an end closes
 * first what was opened inside its slice and never ended, an end without its begin is an instant, and a
 * length is cut where the next event begins (`duration_ns` keeps it whole).
 */
export function newSlices(put: (event: object, ts: bigint) => void): Slices {
  const tracks = new Map<number, Track>();

  function flush(t: Track, until: bigint | null): void {
    if (!t.whole) return;
    const { event, dur_ns } = t.whole;
    const most = until === null ? dur_ns : Math.min(dur_ns, Number(until - t.last));
    put({ ...event, dur: most / 1000 }, t.last);
    t.last += BigInt(Math.ceil(most)); // what begins before its end would not nest
    t.whole = null;
  }

  function end(t: Track, ts: bigint, at: number, args: object): void {
    for (let i = t.open.length - 1; i >= at; i--) {
      const { group, name } = t.open[i]!;
      const own = i === at ? args : { end: 'not seen; the slice around it ended' };
      put({ name, ph: 'E', cat: group, ...t.place, args: own }, ts);
    }
    t.open.length = at;
  }

  return {
    add({ pid, tid }, ts, event, phase, args) {
      const place = { pid, tid };
      const t = tracks.get(place.tid) ?? { place, open: [], whole: null, last: ts };
      tracks.set(place.tid, t);
      const isLate = ts < t.last; // a stamp out of order cannot nest
      if (!isLate) flush(t, ts);
      const instant = () => put({ name: event, ph: 'i', s: 't', cat: event, ...place, args }, ts);
      if (phase.kind === 'instant' || isLate) return instant();
      t.last = ts;
      if (phase.kind === 'whole') {
        t.whole = {
          event: { name: phase.name, ph: 'X', cat: event, ...place, args },
          dur_ns: phase.dur_ns,
        };
        return;
      }
      const { group, name } = phase;
      if (phase.kind === 'begin') {
        if (t.open.length >= maxDepth) return instant();
        const open = { group, name: name ?? event };
        t.open.push(open);
        return put({ name: open.name, ph: 'B', cat: group, ...place, args }, ts);
      }
      const at = t.open.findLastIndex(
        (o) => o.group === group && (name === null || o.name === name),
      );
      return at < 0 ? instant() : end(t, ts, at, args);
    },
    finish() {
      for (const t of tracks.values()) flush(t, null);
    },
  };
}

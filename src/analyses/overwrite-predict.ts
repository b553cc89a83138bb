import type { Count } from './overwrite-counts.js';
import { isHuge, keepTable, mapArea, type Replaced, type SlotModel } from './slots.js';

/** A predicted overwrite; `made` turns false if it is refused or its mapping is never made. */
export interface Prediction {
  readonly ts_ns: number;
  readonly row: number;
  readonly pid: number;
  readonly table: Replaced;
  made: boolean;
}

/** A task's last huge mapping, which may still be refused, or given up for lack of pages. */
interface Pending {
  readonly page: number;
  readonly size_bytes: number;
  readonly count: Count;
  readonly predictions: readonly Prediction[];
  readonly unknown: number;
  readonly pmdTables: number;
  /** Predictions whose lock attempt was seen. */
  tried: number;
  freed: boolean;
  /** Seen to be mapped, or followed by another call: it did not fail. */
  certain: boolean;
}

/** The slot model over the events of a trace. */
export interface Predictor {
  readonly model: SlotModel;
  readonly pending: Map<number, Pending>;
  readonly predictions: Prediction[];
}

export const newPredictor = (model: SlotModel): Predictor => ({
  model,
  pending: new Map(),
  predictions: [],
});

/** Where an event stands. */
export interface Where {
  readonly row: number;
  readonly ts_ns: number;
  readonly pid: number;
}

/** No huge pages were to be had: the tables stay, and the counts are taken back. */
function giveUp(p: Predictor, { count, predictions, unknown, pmdTables }: Pending): void {
  const made = predictions.filter((x) => x.made);
  for (const x of made) {
    x.made = false;
    keepTable(p.model, x.table);
  }
  count.overwrites -= made.length;
  count.unknown -= unknown;
  count.pmdTables -= pmdTables;
  count.huge--;
}

/**
 * A task that frees its huge area and asks for the same size by pages may have got no huge pages, so
 * that the first area was never mapped; or it may just be doing that. Probes tell; without them the
 * overwrites stand, in doubt.
 */
function settle(p: Predictor, before: Pending, probed: boolean): void {
  if (before.certain) return;
  if (probed) giveUp(p, before);
  else before.count.doubtful += before.predictions.length;
}

/** An area as alloc_vmap_area gives it. */
export interface Area {
  /** va / 4096 */
  readonly page: number;
  readonly size_bytes: number;
  readonly align_bytes: number;
}

/** alloc_vmap_area succeeded; `probed` tells whether probes would have shown a mapping. */
export function onAlloc(p: Predictor, at: Where, count: Count, area: Area, probed: boolean): void {
  const { page, size_bytes, align_bytes } = area;
  const huge = isHuge(p.model.geometry, size_bytes, align_bytes);
  // A small area asked for before the huge one is freed is the array of its pages.
  const before = p.pending.get(at.pid);
  if (before?.freed && before.size_bytes === size_bytes && !huge) settle(p, before, probed);
  if (huge || before?.freed) p.pending.delete(at.pid);
  const m = mapArea(p.model, page, size_bytes, align_bytes, at.ts_ns);
  if (!m.huge) return;
  const predictions = m.replaced.map((table) => ({ ...at, table, made: true }));
  for (const x of predictions) p.predictions.push(x);
  count.huge++;
  count.overwrites += predictions.length;
  count.unknown += m.unknown;
  count.pmdTables += m.pmdTables;
  const { unknown, pmdTables } = m;
  const pending = { page, size_bytes, count, predictions, unknown, pmdTables };
  p.pending.set(at.pid, { ...pending, tried: 0, freed: false, certain: false });
}

/** free_vmap_area_noflush: a task that frees its own huge area at once may be about to fall back. */
export function onFree(p: Predictor, pid: number, page: number): void {
  const pending = p.pending.get(pid);
  if (pending?.page === page) pending.freed = true;
}

/** The task mapped a block, or entered vmalloc anew: its last huge area did not fail. */
export function onProgress(p: Predictor, pid: number): void {
  const pending = p.pending.get(pid);
  if (pending) pending.certain = true;
}

/** The task tried the read lock of init_mm, as the trylock scheme does once per table. */
export function onTrylock(p: Predictor, pid: number, ok: boolean): void {
  const pending = p.pending.get(pid);
  const x = pending?.predictions[pending.tried];
  if (!pending || !x) return;
  pending.tried++;
  pending.certain = true;
  if (ok) return;
  x.made = false;
  pending.count.lost++;
  keepTable(p.model, x.table);
}

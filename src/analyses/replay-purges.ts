import {
  decay_va_pool_node,
  detachLazy,
  envelope,
  purge_vmap_node,
} from '../linux/mm/vmap-nodes.js';
import { type Effect, noPurge, type Replay } from './replay.js';
import type { DecayOp, PurgeOp, ReleaseOp } from './vmalloc-op.js';

/** Do one stage of a purge in the model. */
export function perform(r: Replay, e: Effect): void {
  if (e.what === 'decay') decay_va_pool_node(r.space, e.node, e.full);
  else if (e.what === 'detach') {
    if (detachLazy(r.space, e.node) > 0) envelope(r.space, e.node, r.purge);
  } else r.purge.areas += purge_vmap_node(r.space, e.node, e.full);
}

const nodesOf = (r: Replay, node: number): number[] =>
  node >= 0 ? [node] : r.space.nodes.map((_, i) => i);

/**
 * The trace shows that a stage begins. Decay and taking off follow at once; giving back takes its
 * time, and is only surely done when the task is seen again. Gives the stages that are done now.
 */
export function begin(r: Replay, op: DecayOp | ReleaseOp): Effect[] {
  const now: Effect[] = [];
  for (const node of nodesOf(r, op.node)) {
    if (node >= r.space.nodes.length) continue;
    if (op.kind === 'release') {
      r.effects.push({ what: 'release', node, full: r.full, op });
      continue;
    }
    r.full = op.full;
    const decay: Effect = { what: 'decay', node, full: op.full, op };
    // Without probes only the taking off is placed exactly, by the count of frees.
    if (op.node < 0) r.effects.push(decay);
    else now.push(decay);
    now.push({ what: 'detach', node, full: op.full, op });
  }
  return now;
}

/** Stages that must be done before place `n` of the trace, in their order; they leave the list. */
export function due(r: Replay, n: number): Effect[] {
  if (r.effects.length === 0) return [];
  const now = r.effects.filter((e) => e.op.until <= n);
  if (now.length > 0) r.effects = r.effects.filter((e) => e.op.until > n);
  return now;
}

/** How the end of a purge compares with the model. */
export interface PurgeResult {
  readonly exact: boolean;
  readonly predicted: string;
  readonly real: string;
  readonly because: string;
}

const text = (r: Replay, areas: number, start: number, end: number): string =>
  areas === 0 ? 'nothing' : `${areas} areas, ${hex(r, start)}-${hex(r, end)}`;

/** Page `page` of the model as an address; 'none' below 0. */
export const hex = (r: Replay, page: number): string =>
  page < 0
    ? 'none'
    : `0x${(BigInt(page) << BigInt(r.tables.geometry.pageShift)).toString(16).padStart(16, '0')}`;

/**
 * Is the edge of the flushed range what the lazy areas say? It may lie further out where the flush
 * covers more: the linear mapping of pages whose permissions are reset (vm_reset_perms), and the
 * dirty part of vm_map_ram() blocks in use (vm_unmap_aliases).
 */
function edgeFits(r: Replay, model: number, real: number, outwards: 1 | -1): boolean {
  if (real === model) return true;
  if ((real - model) * outwards < 0) return false;
  const { areas, busy, vstart } = r.space;
  const modules = vstart - 2 ** (31 - r.tables.geometry.pageShift);
  if (real < modules) return true; // the linear mapping lies below

  for (const va of busy.values()) {
    const from = areas.start[va]!;
    if (areas.pages[va] === 0 && from <= real && real <= areas.end[va]!) return true;
  }
  return false;
}

/** A purge ends: all its stages are done. Compares what was purged. */
export function endPurge(r: Replay, op: PurgeOp): PurgeResult {
  for (let e = r.effects.shift(); e; e = r.effects.shift()) perform(r, e);
  for (let i = 0; i < r.space.nodes.length; i++)
    r.purge.areas += purge_vmap_node(r.space, i, r.full);
  const { start, end, areas } = r.purge;
  r.purge = noPurge();
  r.full = false;
  const exact =
    areas === op.areas &&
    (areas === 0 || (edgeFits(r, start, op.start, -1) && edgeFits(r, end, op.end, 1)));
  const because =
    areas < op.areas
      ? 'areas were taken off whose free events come later'
      : areas > op.areas
        ? 'the lazy areas were taken off before the last frees'
        : 'the flush covers more than the lazy areas (vm_map_ram blocks)';
  return {
    exact,
    predicted: text(r, areas, start, end),
    real: text(r, op.areas, op.start, op.end),
    because: exact ? '' : because,
  };
}

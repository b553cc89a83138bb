import type { DecayOp, Op, OpBase, PurgeOp, ReleaseOp } from './vmalloc-op.js';
import type { Row } from './vmalloc-rows.js';

/** A row that belongs to a purge, and the place of the next row of the same task. */
export interface PurgeRow {
  readonly row: Row;
  until: number;
  /** Did the task's last allocation fail? Then it is the purge of an overflow, which empties the pools. */
  readonly overflow: boolean;
}

const base = (r: Row, n = r.n): OpBase => ({
  n,
  ts_ns: r.ts_ns,
  cpu: r.cpu,
  pid: r.pid,
  task: r.task,
});

/** The vmap nodes by address in the order purges visit them: struct vmap_node[]. */
function vmapNodesSeen(rows: readonly PurgeRow[]): bigint[] {
  const seen = new Set<bigint>();
  for (const { row } of rows) if (row.event === 'decay_node') seen.add(row.object);
  return [...seen].sort((a, b) => (a < b ? -1 : 1));
}

/** The node that holds `object` (its own address, or its work item's); 0 if unknown. */
function nodeAt(nodes: readonly bigint[], object: bigint): number {
  for (let i = nodes.length - 1; i > 0; i--) if (nodes[i]! <= object) return i;
  return 0;
}

/**
 * Where a purge without probes took the lazy areas off: behind as many frees as have been purged up to
 * and with it. Its event comes only at its end.
 */
function takenAt(frees: readonly number[], purged: number, after: number, end: number): number {
  const n = purged > 0 ? frees[purged - 1] : undefined;
  return n === undefined || n > end ? end - 0.5 : Math.max(n + 0.25, after + 0.25);
}

/** What the purge rows say, as operations, and how many vmap nodes they name. */
function purgeOps(rows: readonly PurgeRow[], frees: readonly number[], nodes: readonly bigint[]) {
  const ops: (DecayOp | ReleaseOp | PurgeOp)[] = [];
  let probed = false;
  let purged = 0;
  let last = -1;
  for (const { row, until, overflow } of rows) {
    if (row.event === 'decay_node') {
      probed = true;
      const node = nodeAt(nodes, row.object);
      ops.push({ ...base(row), kind: 'decay', node, full: row.full, until });
    } else if (row.event === 'purge_node') {
      ops.push({ ...base(row), kind: 'release', node: nodeAt(nodes, row.object), until });
    } else {
      purged += row.count;
      if (!probed) {
        const n = takenAt(frees, purged, last, row.n);
        ops.push({ ...base(row, n), kind: 'decay', node: -1, full: overflow, until: row.n });
        ops.push({ ...base(row, n), kind: 'release', node: -1, until: row.n });
      }
      probed = false;
      last = row.n;
      ops.push({ ...base(row), kind: 'purge', start: row.from, end: row.to, areas: row.count });
    }
  }
  return ops;
}

/** Does the trace begin at boot? Then its first allocation is made by the task with pid 0. */
export const fromStart = (ops: readonly Op[]): boolean =>
  ops.find((o) => o.kind === 'alloc')?.pid === 0;

/** `ops` with the purges in their places. */
export function placePurges(
  ops: readonly Op[],
  rows: readonly PurgeRow[],
): { ops: Op[]; nodes: number } {
  const nodes = vmapNodesSeen(rows);
  const frees = fromStart(ops) ? ops.filter((o) => o.kind === 'free').map((o) => o.n) : [];
  const all = [...ops, ...purgeOps(rows, frees, nodes)];
  all.sort((a, b) => a.n - b.n);
  return { ops: all, nodes: nodes.length };
}

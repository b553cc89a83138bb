import {
  type DecayOp,
  type Op,
  type OpBase,
  type PurgeOp,
  type ReleaseOp,
  threadOf,
} from './vmalloc-op.js';
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

const endOf = (row: Row): PurgeOp => ({
  ...base(row),
  kind: 'purge',
  start: row.from,
  end: row.to,
  areas: row.count,
});

/** The end of the purge each row belongs to: the next one of its task. One purge runs at a time. */
function endsOf(rows: readonly PurgeRow[]): (PurgeOp | undefined)[] {
  const next = new Map<number, PurgeOp>();
  const out: (PurgeOp | undefined)[] = [];
  for (let i = rows.length - 1; i >= 0; i--) {
    const { row } = rows[i]!;
    if (row.event === 'purge_vmap_area_lazy') next.set(threadOf(row), endOf(row));
    out[i] = next.get(threadOf(row));
  }
  return out;
}

/** What the purge rows say, as operations. */
function purgeOps(rows: readonly PurgeRow[], frees: readonly number[], nodes: readonly bigint[]) {
  const ops: (DecayOp | ReleaseOp | PurgeOp)[] = [];
  const allEnds = endsOf(rows);
  let probed = false;
  let purged = 0;
  let last = -1;
  rows.forEach(({ row, until, overflow }, i) => {
    const ends = allEnds[i];
    if (row.event === 'decay_node') {
      probed = true;
      const node = nodeAt(nodes, row.object);
      ops.push({ ...base(row), kind: 'decay', node, full: row.full, until, ends });
    } else if (row.event === 'purge_node') {
      ops.push({ ...base(row), kind: 'release', node: nodeAt(nodes, row.object), until });
    } else {
      purged += row.count;
      if (!probed) {
        const n = takenAt(frees, purged, last, row.n);
        ops.push({ ...base(row, n), kind: 'decay', node: -1, full: overflow, until: row.n, ends });
        ops.push({ ...base(row, n), kind: 'release', node: -1, until: row.n });
      }
      probed = false;
      last = row.n;
      ops.push(ends!);
    }
  });
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

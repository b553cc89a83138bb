import type { VmapAreas } from '../mm/areas.js';

/**
 * A red-black tree over rows of VmapAreas, ordered by start, each row knowing the largest size below
 * it. The shape is the kernel's: the same case distinctions in the same order, because the search of
 * vmalloc for aligned space depends on it.
 * C: lib/rbtree.c, include/linux/rbtree_augmented.h
 */
export interface RbRoot {
  node: number;
}

/** Largest size in the subtree of `n`, from its own size and its children. C: compute_subtree_max_size() */
function subtreeMax(a: VmapAreas, n: number): number {
  let max = a.end[n]! - a.start[n]!;
  const l = a.left[n]!;
  const r = a.right[n]!;
  if (l !== 0 && a.max[l]! > max) max = a.max[l]!;
  if (r !== 0 && a.max[r]! > max) max = a.max[r]!;
  return max;
}

/** Bring the maxima from `n` upwards up to date; stops where nothing changes. C: augment_tree_propagate_from() */
export function augment_tree_propagate_from(a: VmapAreas, n: number): void {
  while (n !== 0) {
    const max = subtreeMax(a, n);
    if (a.max[n] === max) return;
    a.max[n] = max;
    n = a.parent[n]!;
  }
}

/** Put `now` where `old` hangs under `parent`. C: __rb_change_child() */
function changeChild(a: VmapAreas, root: RbRoot, old: number, now: number, parent: number): void {
  if (parent === 0) root.node = now;
  else if (a.left[parent] === old) a.left[parent] = now;
  else a.right[parent] = now;
}

/** `up` (a child) takes the place of `old`, whose child it has just lost becomes `inner`. */
function rotate(a: VmapAreas, root: RbRoot, old: number, up: number, leftwards: boolean): void {
  const parent = a.parent[old]!;
  const inner = leftwards ? a.left[up]! : a.right[up]!;
  if (leftwards) {
    a.right[old] = inner;
    a.left[up] = old;
  } else {
    a.left[old] = inner;
    a.right[up] = old;
  }
  if (inner !== 0) a.parent[inner] = old;
  a.parent[up] = parent;
  a.parent[old] = up;
  changeChild(a, root, old, up, parent);
  a.max[up] = a.max[old]!;
  a.max[old] = subtreeMax(a, old);
}

/** Hang `n` under `parent` (0: empty tree) on the given side and restore the colours. C: rb_insert_augmented() */
export function rb_insert(
  a: VmapAreas,
  root: RbRoot,
  n: number,
  parent: number,
  toLeft: boolean,
): void {
  a.left[n] = 0;
  a.right[n] = 0;
  a.parent[n] = parent;
  a.red[n] = 1;
  if (parent === 0) root.node = n;
  else if (toLeft) a.left[parent] = n;
  else a.right[parent] = n;
  a.max[n] = a.end[n]! - a.start[n]!;
  augment_tree_propagate_from(a, parent);
  insertColor(a, root, n);
}

/** C: __rb_insert() */
function insertColor(a: VmapAreas, root: RbRoot, node: number): void {
  for (;;) {
    let parent = a.parent[node]!;
    if (parent === 0) {
      a.red[node] = 0;
      return;
    }
    if (a.red[parent] === 0) return;
    const gparent = a.parent[parent]!;
    const onLeft = a.left[gparent] === parent;
    const uncle = onLeft ? a.right[gparent]! : a.left[gparent]!;
    if (uncle !== 0 && a.red[uncle] === 1) {
      a.red[uncle] = 0;
      a.red[parent] = 0;
      a.red[gparent] = 1;
      node = gparent;
      continue;
    }
    if (node === (onLeft ? a.right[parent] : a.left[parent])) {
      rotate(a, root, parent, node, onLeft);
      parent = node;
    }
    rotate(a, root, gparent, parent, !onLeft);
    a.red[parent] = 0;
    a.red[gparent] = 1;
    return;
  }
}

/** Take `n` out and restore the colours and maxima. C: rb_erase_augmented() */
export function rb_erase(a: VmapAreas, root: RbRoot, n: number): void {
  const l = a.left[n]!;
  const r = a.right[n]!;
  if (l !== 0 && r !== 0) {
    eraseInner(a, root, n);
    return;
  }
  const child = l === 0 ? r : l;
  const parent = a.parent[n]!;
  changeChild(a, root, n, child, parent);
  let fix = 0;
  if (child !== 0) {
    a.parent[child] = parent;
    a.red[child] = a.red[n]!;
  } else if (a.red[n] === 0) fix = parent;
  augment_tree_propagate_from(a, parent);
  if (fix !== 0) eraseColor(a, root, fix);
}

/** Erase a node with two children: its successor takes its place and colour. */
function eraseInner(a: VmapAreas, root: RbRoot, n: number): void {
  let s = a.right[n]!;
  let parent = s;
  let child: number;
  if (a.left[s] === 0) child = a.right[s]!;
  else {
    while (a.left[s] !== 0) {
      parent = s;
      s = a.left[s]!;
    }
    child = a.right[s]!;
    a.left[parent] = child;
    a.right[s] = a.right[n]!;
    a.parent[a.right[n]!] = s;
  }
  const l = a.left[n]!;
  a.left[s] = l;
  a.parent[l] = s;
  const above = a.parent[n]!;
  changeChild(a, root, n, s, above);
  let fix = 0;
  if (child !== 0) {
    a.parent[child] = parent;
    a.red[child] = 0;
  } else if (a.red[s] === 0) fix = parent;
  a.parent[s] = above;
  a.red[s] = a.red[n]!;
  a.max[s] = a.max[n]!;
  if (parent !== s) augment_tree_propagate_from(a, parent);
  augment_tree_propagate_from(a, s);
  if (fix !== 0) eraseColor(a, root, fix);
}

/** One black node is missing below `parent`, where the child is none. C: ____rb_erase_color() */
function eraseColor(a: VmapAreas, root: RbRoot, parent: number): void {
  let node = 0;
  for (;;) {
    const onRight = a.right[parent] !== node;
    let sibling = onRight ? a.right[parent]! : a.left[parent]!;
    if (a.red[sibling] === 1) {
      rotate(a, root, parent, sibling, onRight);
      a.red[sibling] = 0;
      a.red[parent] = 1;
      sibling = onRight ? a.right[parent]! : a.left[parent]!;
    }
    const outer = onRight ? a.right[sibling]! : a.left[sibling]!;
    const inner = onRight ? a.left[sibling]! : a.right[sibling]!;
    if (outer === 0 || a.red[outer] === 0) {
      if (inner === 0 || a.red[inner] === 0) {
        a.red[sibling] = 1;
        if (a.red[parent] === 1) {
          a.red[parent] = 0;
          return;
        }
        node = parent;
        parent = a.parent[node]!;
        if (parent === 0) return;
        continue;
      }
      rotate(a, root, sibling, inner, !onRight);
      rotate(a, root, parent, inner, onRight);
      a.red[inner] = a.red[parent]!;
      a.red[parent] = 0;
      a.red[sibling] = 0;
      return;
    }
    rotate(a, root, parent, sibling, onRight);
    a.red[sibling] = a.red[parent]!;
    a.red[parent] = 0;
    a.red[outer] = 0;
    return;
  }
}

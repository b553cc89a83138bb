// What both exports share: how a task's tree becomes code, and how the words of a system are named.
import type { Place, Step } from '../linux/step.js';
import { regionOf, type System } from '../linux/system.js';
import type { Tree } from './tree.js';

/** What a freed table reads as. */
export const POISON = 0xdead;

/** The word's name in a litmus test: letters, digits and '_'. */
export function word(sys: System, at: Place): string {
  const r = regionOf(sys, at)!;
  const name = r.name.replace(/\W/g, '_');
  return r.size > 1 && (r.kind === 'entries' || r.kind === 'table') ? `${name}_${at - r.base}` : name; // biome-ignore format: one line
}

/** A test's name: what herd7 takes for one. */
export const title = (name: string): string => name.replace(/[^\w.+-]/g, '_');

/** `words` in lines of at most 72 columns, each behind `indent`. */
export function wrapped(words: readonly string[], indent = ''): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.length + 1 + word.length <= 72)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(indent + word);
  }
  return lines;
}

/** What the reader of a test must know: what stands for what. `(*` begins a comment in every litmus test. */
export const remarks = (text: string): string[] => wrapped(['(*', ...text.split(' '), '*)']);

/** The values a walk must not have read, as a condition: a use after free. */
export function anyPoisoned(read: readonly string[]): string {
  if (read.length === 0) throw new RangeError('nobody reads a table that can be freed');
  return read.map((r) => `${r}=${POISON}`).join(' \\/ ');
}

/** One result of a step and what follows it; the last case of a choice is for every other result. */
export interface Case {
  readonly result: number;
  /** Nothing worth writing follows. */
  readonly empty: boolean;
  write(): void;
}

/** A language that a tree is written in. `Name` is what holds a result there: a register, a variable. */
export interface Writer<Name> {
  /** Of each place, what holds the value last read there. */
  readonly last: Map<Place, Name>;
  /** Write a step; gives what holds its result, if a choice may ask for it. */
  step(step: Step): Name | undefined;
  /** Write a choice by the result of `step`. */
  choose(step: Step, result: Name, cases: readonly Case[]): void;
}

/** Write a task's tree, as far as it matters. */
export function writeTree<Name>(w: Writer<Name>, tree: Tree): void {
  if (!tree.step || !tree.matters) return;
  const result = w.step(tree.step);
  const { next } = tree;
  if (next.length === 0) return;
  if (tree.same || result === undefined) {
    writeTree(w, next[0]!.tree);
    return;
  }
  const known = new Map(w.last);
  w.choose(
    tree.step,
    result,
    next.map((n) => ({
      result: n.result,
      empty: !n.tree.step || !n.tree.matters,
      write() {
        w.last.clear();
        for (const [place, name] of known) w.last.set(place, name);
        writeTree(w, n.tree);
      },
    })),
  );
}

// A counterexample as the list writes them: a column a task, or numbered lines for more than two. At most 72 columns of
// 7-bit ASCII; each step names its task, so that it stays readable when an archive eats runs of blanks.
import type { Move, Verdict } from './verdict.js';

const WIDTH = 72;

/** Words of `text` in lines of at most `width`. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.length + 1 + word.length <= width)
      lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(...(word.match(new RegExp(`.{1,${width}}`, 'g')) ?? []));
  }
  return lines;
}

/** Like wrap(), but a value read, the locks held and the bang go to the next line whole. */
function wrapParts(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const part of text.split(/ (?=->|\[|<==)/)) {
    const last = lines[lines.length - 1];
    if (last !== undefined && last.length + 1 + part.length <= width)
      lines[lines.length - 1] = `${last} ${part}`;
    else lines.push(...wrap(part, width));
  }
  return lines;
}

/** Names can come from a user's scheme: control and other characters become '?'. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

/** Index of the step where it went wrong. */
function wrongAt(moves: readonly Move[], bang: boolean): number {
  const told = moves.findIndex((r) => r.faulty);
  return !bang ? -1 : told >= 0 ? told : moves.length - 1;
}

const matters = (r: Move): boolean => /free|wild|pXdp_get|^read /.test(r.text);

/** The step with, where it matters, the locks held; where it went wrong, `bang` says how. */
function stepText(r: Move, bang: string | undefined): string {
  const held = r.held.length > 0 ? ` [${r.held.join(', ')}]` : ' [no lock]';
  return plain(r.text + (matters(r) ? held : '') + (bang === undefined ? '' : ` <== ${bang}`));
}

/** 'BANG', and for a table when it was freed. */
function bangOf(v: Verdict): string {
  const freed = /freed at step \d+/.exec(v.explanation ?? '');
  return freed ? `BANG: ${freed[0]}` : 'BANG';
}

/** Columns of the left task: what its longest step needs, but leave the right one at least as much as it needs. */
function leftWidth(left: readonly string[], right: readonly string[]): number {
  const longest = (texts: readonly string[]) => Math.max(0, ...texts.map((t) => t.length)) + 4;
  const all = WIDTH - 4;
  return Math.min(longest(left), Math.max(all / 2, all - longest(right)));
}

function twoColumns(
  moves: readonly Move[],
  tasks: readonly string[],
  textOf: (i: number) => string,
): string[] {
  const texts = moves.map((_, i) => textOf(i));
  const of = (task: string | undefined) => texts.filter((_, i) => moves[i]!.task === task);
  const titles = tasks.map((t, i) => `${'AB'[i]} = ${plain(t)}`);
  const left = Math.max(leftWidth(of(tasks[0]), of(tasks[1])), titles[0]!.length + 1);
  const lines = [`    ${titles[0]!.padEnd(left)}${titles[1] ?? ''}`];
  moves.forEach((r, i) => {
    const column = tasks.indexOf(r.task);
    const width = column === 0 && tasks.length > 1 ? left : WIDTH - 4 - left * column;
    wrapParts(texts[i]!, width - 4).forEach((t, k) => {
      const number = k === 0 ? String(r.n).padStart(3) : '   ';
      lines.push(`${number} ${' '.repeat(column * left)}${k === 0 ? `${'AB'[column]}: ` : '   '}${t}`); // biome-ignore format: one line
    });
  });
  return lines;
}

function numbered(moves: readonly Move[], textOf: (i: number) => string): string[] {
  return moves.flatMap((r, i) => {
    const text = `${plain(r.task)}: ${textOf(i)}`;
    return wrapParts(text, WIDTH - 6).map((t, k) =>
      k === 0 ? `${String(r.n).padStart(3)} ${t}` : `      ${t}`,
    );
  });
}

/** Lines of a verdict's counterexample; without one, a line that says so. */
export function diagram(v: Verdict): string {
  const { counterexample: moves } = v;
  if (moves.length === 0) return 'no counterexample';
  const tasks = [...new Set(moves.map((r) => r.task))].sort();
  const wrong = wrongAt(moves, v.kind !== 'deadlock');
  const textOf = (i: number) => stepText(moves[i]!, i === wrong ? bangOf(v) : undefined);
  const body =
    tasks.length <= 2 ? twoColumns(moves, tasks.reverse(), textOf) : numbered(moves, textOf);
  const end = wrap(plain(v.explanation ?? ''), WIDTH - 4).map((l, i) => (i === 0 ? `==> ${l}` : `    ${l}`)); // biome-ignore format: one line
  return [...body, ...end].map((l) => l.trimEnd()).join('\n');
}

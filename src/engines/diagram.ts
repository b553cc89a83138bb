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

/** Names can come from a user's scheme: control and other characters become '?'. */
const plain = (text: string): string => text.replace(/[^\x20-\x7e]/g, '?');

/** Index of the step where it went wrong. */
function wrongAt(moves: readonly Move[], bang: boolean): number {
  const told = moves.findIndex((r) => r.faulty);
  return !bang ? -1 : told >= 0 ? told : moves.length - 1;
}

const matters = (r: Move): boolean => /free|wild|pXdp_get|^read /.test(r.text);

/** The step with, where it matters, the locks held. */
function stepText(r: Move, bang: boolean): string {
  const held = r.held.length > 0 ? ` [${r.held.join(', ')}]` : ' [no lock]';
  return plain(r.text + (matters(r) ? held : '') + (bang ? ' <== BANG' : ''));
}

function twoColumns(moves: readonly Move[], tasks: readonly string[], wrong: number): string[] {
  const half = (WIDTH - 4) / tasks.length;
  const letters = tasks.map((t, i) => `${'AB'[i]} = ${plain(t)}`);
  const lines = [`    ${letters.map((l) => l.padEnd(half)).join('')}`];
  moves.forEach((r, i) => {
    const column = tasks.indexOf(r.task);
    const text = wrap(stepText(r, i === wrong), half - 4);
    const pad = ' '.repeat(column * half);
    text.forEach((t, k) => {
      const number = k === 0 ? String(r.n).padStart(3) : '   ';
      lines.push(`${number} ${pad}${k === 0 ? `${'AB'[column]}: ` : '   '}${t}`);
    });
  });
  return lines;
}

function numbered(moves: readonly Move[], wrong: number): string[] {
  return moves.flatMap((r, i) => {
    const text = `${plain(r.task)}: ${stepText(r, i === wrong)}`;
    return wrap(text, WIDTH - 6).map((t, k) =>
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
  const body =
    tasks.length <= 2 ? twoColumns(moves, tasks.reverse(), wrong) : numbered(moves, wrong);
  const end = wrap(plain(v.explanation ?? ''), WIDTH - 4).map((l, i) => (i === 0 ? `==> ${l}` : `    ${l}`)); // biome-ignore format: one line
  return [...body, ...end].map((l) => l.trimEnd()).join('\n');
}

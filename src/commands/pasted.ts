import { splitWords } from '../export/shell.js';

/** A text block as it stands in a mail or file, without its quote marks. */
export interface Pasted {
  /** 1-based line of the text it begins in. */
  readonly line: number;
  /** Head lines: what, unit, kernel, trace. */
  readonly head: readonly string[];
  /** The figures. */
  readonly body: readonly string[];
  /** The words of its command, 'ptlab' first; a message where they are not ours to run. */
  readonly command: readonly string[] | string;
  /** First digits of the trace's sha256; '' where the block names no trace. */
  readonly sha256: string;
}

interface Line {
  readonly level: number;
  readonly text: string;
}

const parse = (line: string): Line => {
  const marks = /^>( ?>)*/.exec(line)?.[0] ?? '';
  const rest = line.slice(marks.length);
  return {
    level: marks.replaceAll(' ', '').length,
    text: (marks !== '' && rest.startsWith(' ') ? rest.slice(1) : rest).trimEnd(),
  };
};

/** The command that begins in line `at`, and the line after it. */
function commandAt(
  lines: readonly Line[],
  at: number,
): { command: Pasted['command']; end: number } {
  let end = at + 1;
  while (lines[end - 1]?.text.endsWith('\\') && lines[end]?.level === lines[at]?.level) end++;
  const text = lines.slice(at, end).map((l) => l.text);
  try {
    return { command: splitWords(text.join('\n').slice(1)), end };
  } catch (e) {
    return { command: (e as Error).message, end };
  }
}

const isUnit = (l: Line): boolean => l.text.startsWith('unit:');

/** Every block of a text: a head with 'unit: ', figures, and a line '$ ptlab ...'. */
export function pastedBlocks(text: string): Pasted[] {
  const lines = text.split(/\r?\n/).map(parse);
  const found: Pasted[] = [];
  let free = 0;
  lines.forEach((line, at) => {
    if (at < free || !/^\$ ptlab( |$)/.test(line.text)) return;
    const same = (i: number) => i >= free && lines[i]?.level === line.level;
    let unit = at;
    while (same(unit) && !isUnit(lines[unit] as Line)) unit--;
    const { command, end } = commandAt(lines, at);
    if (same(unit)) {
      let first = unit;
      while (same(first - 1) && lines[first - 1]?.text !== '') first--;
      const inside = lines.slice(first, at).map((l) => l.text);
      const gap = inside.indexOf('');
      const head = inside.slice(0, gap);
      const sha256 = /, sha256 ([0-9a-f]{12})$/.exec(head.at(-1) ?? '')?.[1] ?? '';
      found.push({ line: first + 1, head, body: trim(inside.slice(gap)), command, sha256 });
    }
    free = end;
  });
  return found;
}

function trim(lines: readonly string[]): string[] {
  const first = lines.findIndex((l) => l !== '');
  return first < 0 ? [] : lines.slice(first, lines.findLastIndex((l) => l !== '') + 1);
}

const number = /-?\d+(\.\d+)?(e[+-]?\d+)?/g;

/** The figures of a line. */
const figures = (line: string): string[] => line.match(number) ?? [];

/** A line without its figures: what is compared tells which figures belong together. */
const skeleton = (line: string): string =>
  line
    .replace(number, '#')
    .replace(/[@#*]+ *(\||$)/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();

/** One difference between a block and what its command gives now. */
export interface Change {
  /** 1-based line of the block's figures; of the new ones where the block lacks it. */
  readonly line: number;
  readonly was: string | null;
  readonly is: string | null;
  /** The block's line a changed figure stands in. */
  readonly text?: string;
}

/**
 * What no longer holds: figure by figure on lines that say the same, else line by line.
 * `count` is the number of figures the block has.
 */
export function compareBodies(
  was: readonly string[],
  is: readonly string[],
): { count: number; changes: Change[] } {
  const changes: Change[] = [];
  const count = was.reduce((n, l) => n + figures(l).length, 0);
  const left = [...is.keys()];
  was.forEach((line, i) => {
    const exact = left.findIndex((j) => is[j] === line);
    const at =
      exact >= 0 ? exact : left.findIndex((j) => skeleton(is[j] as string) === skeleton(line));
    if (at < 0) {
      if (line !== '') changes.push({ line: i + 1, was: line, is: null });
      return;
    }
    const now = is[left[at] as number] as string;
    left.splice(at, 1);
    if (now !== line) changes.push(...byFigure(i + 1, line, now));
  });
  for (const j of left)
    if (is[j] !== '') changes.push({ line: j + 1, was: null, is: is[j] as string });
  return { count, changes };
}

function byFigure(line: number, was: string, is: string): Change[] {
  const [a, b] = [figures(was), figures(is)];
  const changed = a.flatMap((f, i) =>
    f === b[i] ? [] : [{ line, was: f, is: b[i] ?? null, text: was }],
  );
  return a.length === b.length && changed.length > 0 ? changed : [{ line, was, is }];
}

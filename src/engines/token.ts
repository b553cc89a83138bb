// A run as a short text: what ran, and the schedule. URL-safe, and readable to a person who knows the letters: task a, b,
// c ... does so many steps; -k the outcome picked; a capital letter joins a lock's queue. Of a run under a weak memory model
// also: .k the place of the step in the task's window, a capital letter a step that was passed before, _v what a read that is
// passed will give.
import type { Memory } from './verdict.js';

/** One choice of a schedule: this task does its next step, with this outcome; or only joins a queue. */
export interface Choice {
  readonly task: number;
  readonly outcome: number;
  /** Joins a queue; of a run under a weak model: the step was passed before. */
  readonly queues: boolean;
  /** Weak models only: steps that stand before it in the task's window; values that reads newly passed will give. */
  readonly index?: number;
  readonly guesses?: readonly number[];
}

/** A run, as a token carries it. */
export interface Run {
  readonly scenario: string;
  readonly scheme: string;
  readonly memory: Memory;
  readonly sizes: Readonly<Record<string, number>>;
  readonly variant: readonly string[];
  readonly schedule: readonly Choice[];
}

const VERSION = 'p1';

function checksum(text: string): string {
  let h = 0x811c9dc5;
  for (const c of text) h = Math.imul(h ^ c.codePointAt(0)!, 0x01000193) >>> 0;
  return (h >>> 8).toString(16).padStart(6, '0');
}

const same = (a: Choice, b: Choice): boolean =>
  a.task === b.task && a.outcome === b.outcome && a.queues === b.queues && a.index === b.index && !a.guesses && !b.guesses; // biome-ignore format: one line

/** What a choice has beyond task and outcome. */
const weakly = ({ index, guesses = [] }: Choice): string =>
  (index ? `.${index}` : '') + guesses.map((v) => `_${v < 0 ? 'n' : ''}${Math.abs(v)}`).join('');

function letters(schedule: readonly Choice[]): string {
  let text = '';
  for (let i = 0; i < schedule.length; ) {
    const c = schedule[i]!;
    let n = 1;
    while (i + n < schedule.length && same(c, schedule[i + n]!)) n++;
    const letter = String.fromCharCode((c.queues ? 65 : 97) + c.task);
    text += letter + (n > 1 ? n : '') + (c.outcome > 0 ? `-${c.outcome}` : '') + weakly(c);
    i += n;
  }
  return text;
}

function choices(text: string): Choice[] {
  const schedule: Choice[] = [];
  const form = /([a-zA-Z])(\d*)(?:-(\d+))?(?:\.(\d+))?((?:_n?\d+)*)/g;
  const [odd] = text.replace(form, '');
  if (odd !== undefined) throw new RangeError(`the token's schedule has a ${JSON.stringify(odd)}, which is no part of one`); // biome-ignore format: one line
  for (const [, letter, count, outcome, index, guessed] of text.matchAll(form)) {
    const queues = letter! < 'a';
    const task = letter!.charCodeAt(0) - (queues ? 65 : 97);
    const n = count === '' ? 1 : Number(count);
    if (schedule.length + n > 1e6) throw new RangeError('the token asks for over a million steps');
    const guesses = (guessed ?? '')
      .split('_')
      .slice(1)
      .map((v) => Number(v.replace('n', '-')));
    const more = { ...(index && { index: Number(index) }), ...(guesses.length > 0 && { guesses }) };
    for (let i = 0; i < n; i++)
      schedule.push({ task, outcome: Number(outcome ?? 0), queues, ...more });
  }
  return schedule;
}

/** The token of a run. */
export function encodeToken(run: Run): string {
  const sizes = Object.entries(run.sizes).map(([name, n]) => `${name}-${n}`).join('.'); // biome-ignore format: one line
  const body = [
    VERSION,
    run.scenario,
    encodeURIComponent(run.scheme).replace(/~/g, ''),
    run.memory,
    sizes,
    run.variant.join('.'),
    letters(run.schedule),
  ].join('~');
  return `${body}~${checksum(body)}`;
}

function schemeName(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new RangeError(`the token's scheme, '${text}', is no encoded name`);
  }
}

/**
 * The run of a token.
 * @throws RangeError saying what is wrong with it.
 */
export function decodeToken(token: string): Run {
  const text = token.trim();
  const at = text.lastIndexOf('~');
  const parts = text.slice(0, at).split('~');
  if (parts[0] !== VERSION || parts.length !== 7)
    throw new RangeError(`no token of this version (it begins with '${VERSION}~' and has 8 parts)`);
  if (checksum(text.slice(0, at)) !== text.slice(at + 1))
    throw new RangeError('the token is damaged: its checksum does not fit; copy it again, whole');
  const [, scenario, scheme, memory, sizes, variant, schedule] = parts as [string, string, string, string, string, string, string]; // biome-ignore format: one line
  const pairs = sizes.split('.').filter((p) => p !== '').map((p) => [p.slice(0, p.lastIndexOf('-')), Number(p.slice(p.lastIndexOf('-') + 1))]); // biome-ignore format: one line
  return {
    scenario,
    scheme: schemeName(scheme),
    memory: memory as Memory,
    sizes: Object.fromEntries(pairs),
    variant: variant.split('.').filter((v) => v !== ''),
    schedule: choices(schedule),
  };
}

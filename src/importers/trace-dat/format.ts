import type { FormatText } from './dat.js';

/** One field of an event's record. */
export interface Field {
  readonly name: string;
  /** C type, without the name: 'unsigned long', 'char[16]', '__data_loc char[]'. */
  readonly type: string;
  readonly offset: number;
  readonly size: number;
  readonly signed: boolean;
  /** Elements of an array in the record; 0 = a single value. */
  readonly count: number;
  /** The record holds only where the value lies: from its start, or from behind this field. */
  readonly dynamic: 'loc' | 'rel' | null;
  /** Characters up to NUL? */
  readonly text: boolean;
}

/** An event format file, parsed. */
export interface EventFormat {
  readonly system: string;
  readonly name: string;
  readonly id: number;
  /** Fields of every event: type, flags, preempt_count, pid. */
  readonly common: readonly Field[];
  readonly fields: readonly Field[];
  /** As it stands behind 'print fmt: '. */
  readonly printFmt: string;
  /** Bytes that the fields take; a shorter record is damaged. */
  readonly size: number;
}

const fieldLine =
  /^\s*field(?: special)?:(.*);\s*offset:(\d+);\s*size:(\d+);(?:\s*signed:(\d+);)?\s*$/;

/** 'char comm[16]' -> name, type, count. */
function declaration(text: string): { name: string; type: string; count: number } {
  const m = /^(.*?)\s*\b(\w+)((?:\[[^\]]*\])*)$/.exec(text.trim());
  if (!m) return { name: text.trim(), type: '', count: 0 };
  const [, type, name, array] = m as unknown as [string, string, string, string];
  const inType = /\[(\d*)\]\s*$/.exec(type); // '__data_loc char[] name'
  const length = /\[(\d+)\]/.exec(array);
  const count = length
    ? Number(length[1])
    : array !== ''
      ? -1
      : inType?.[1]
        ? Number(inType[1])
        : 0;
  return { name, type: `${type}${array}`.trim(), count };
}

function field(line: string): Field | null {
  const m = fieldLine.exec(line);
  if (!m) return null;
  const { name, type, count } = declaration(m[1]!);
  const dynamic = type.startsWith('__data_loc')
    ? 'loc'
    : type.startsWith('__rel_loc')
      ? 'rel'
      : null;
  const isChar = /\b(char)\s*(\[|$)/.test(type) && !/unsigned/.test(type);
  const size = Number(m[3]);
  // An array of unknown length (buf[], or of size 0) reaches to the end of the record.
  const open = dynamic === null && (count < 0 || size === 0 || (count === 0 && /\[/.test(type)));
  const elements = open ? -1 : count;
  return {
    name,
    type,
    offset: Number(m[2]),
    size,
    signed:
      m[4] === undefined ? /^(?!.*unsigned).*(int|char|long|short|s\d+)/.test(type) : m[4] === '1',
    count: elements,
    dynamic,
    text: isChar && (dynamic !== null || elements !== 0),
  };
}

const nameOf = (text: string): string | undefined => /^name: (.+)$/m.exec(text)?.[1];
const idOf = (text: string): string | undefined => /^ID: (\d+)$/m.exec(text)?.[1];

/**
 * Event format files by their id; of two with one id the first counts. A trace has those of all events of
 * its kernel, and records of a few: parse them as they are met.
 */
export function formatsById(texts: readonly FormatText[]): Map<number, FormatText> {
  const found = new Map<number, FormatText>();
  for (const t of texts) {
    const id = Number(idOf(t.text) ?? -1);
    if (id >= 0 && !found.has(id) && nameOf(t.text) !== undefined) found.set(id, t);
  }
  return found;
}

/** Parse an event format file; null if it is none. */
export function parseFormat({ system, text }: FormatText): EventFormat | null {
  const name = nameOf(text);
  const id = idOf(text);
  if (name === undefined || id === undefined) return null;
  const all = text.split('\n').map(field);
  const known = all.filter((f): f is Field => f !== null);
  const printAt = text.indexOf('print fmt: ');
  return {
    system,
    name: name.trim(),
    id: Number(id),
    common: known.filter((f) => f.name.startsWith('common_')),
    fields: known.filter((f) => !f.name.startsWith('common_')),
    printFmt: printAt < 0 ? '' : text.slice(printAt + 11).trim(),
    size: Math.max(0, ...known.map((f) => f.offset + f.size)),
  };
}

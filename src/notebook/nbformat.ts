// Notebook files: nbformat 4.5 in and out. https://nbformat.readthedocs.io/en/latest/format_description.html
import { randomBytes } from 'node:crypto';
import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { UserError } from '../commands/command.js';
import type { Content } from './wire.js';

export type MimeBundle = Record<string, unknown>;

/** An output of a code cell, as in nbformat 4. */
export type Output =
  | { output_type: 'stream'; name: 'stdout' | 'stderr'; text: string }
  | { output_type: 'display_data'; data: MimeBundle; metadata: Content }
  | {
      output_type: 'execute_result';
      data: MimeBundle;
      metadata: Content;
      execution_count: number | null;
    }
  | { output_type: 'error'; ename: string; evalue: string; traceback: string[] };

export interface Cell {
  id: string;
  cell_type: 'code' | 'markdown' | 'raw';
  metadata: Content & { tags?: string[] };
  source: string;
  execution_count?: number | null;
  outputs?: Output[];
  attachments?: Content;
}

export interface Notebook {
  cells: Cell[];
  metadata: Content;
  nbformat: 4;
  nbformat_minor: 5;
}

const joined = (text: unknown): string =>
  Array.isArray(text) ? text.join('') : typeof text === 'string' ? text : '';

/** Lines as nbformat stores them: each with its newline. */
const split = (text: string): string[] => text.match(/[^\n]*\n|[^\n]+$/g) ?? [];

/** A cell id that no other cell has. */
export function newId(taken: ReadonlySet<string> = new Set()): string {
  for (;;) {
    const id = randomBytes(4).toString('hex');
    if (!taken.has(id)) return id;
  }
}

function readOutput(o: Record<string, unknown>): Output {
  if (o['output_type'] === 'stream') return { ...o, text: joined(o['text']) } as Output;
  if (o['data'] === undefined) return o as unknown as Output;
  const data = Object.entries(o['data'] as MimeBundle).map(([mime, v]) => {
    const text = Array.isArray(v) && !isJson(mime);
    return [mime, text ? joined(v) : v];
  });
  return { ...o, data: Object.fromEntries(data) } as Output;
}

const isJson = (mime: string): boolean => /^application\/(.*\+)?json$/.test(mime);

function readCell(raw: Record<string, unknown>, at: number, taken: Set<string>): Cell {
  const type = raw['cell_type'];
  if (type !== 'code' && type !== 'markdown' && type !== 'raw')
    throw new UserError(`cell ${at + 1}: cell_type ${JSON.stringify(type)} is none of nbformat's`);
  const given = raw['id'];
  const fine = typeof given === 'string' && /^[\w-]{1,64}$/.test(given) && !taken.has(given);
  const id = fine ? given : newId(taken);
  taken.add(id);
  const cell: Cell = {
    id,
    cell_type: type,
    metadata: (raw['metadata'] as Cell['metadata'] | undefined) ?? {},
    source: joined(raw['source']),
  };
  if (raw['attachments']) cell.attachments = raw['attachments'] as Content;
  if (type !== 'code') return cell;
  const outputs = (raw['outputs'] as Record<string, unknown>[] | undefined) ?? [];
  return {
    ...cell,
    execution_count: (raw['execution_count'] as number | null | undefined) ?? null,
    outputs: outputs.map(readOutput),
  };
}

/**
 * The notebook in `text`, brought to nbformat 4.5: texts joined, a unique id for every cell.
 * @throws UserError if it is not JSON or not nbformat 4; `name` stands in the message.
 */
export function parseNotebook(text: string, name: string): Notebook {
  let raw: Record<string, unknown>;
  try {
    raw = JSON.parse(text);
  } catch (e) {
    throw new UserError(`${name}: not a notebook: ${(e as Error).message}`);
  }
  if (raw?.['nbformat'] !== 4 || !Array.isArray(raw['cells']))
    throw new UserError(
      `${name}: nbformat ${JSON.stringify(raw?.['nbformat'])}, 4 wanted; 'jupyter nbconvert --to notebook' brings an old one up to date`,
    );
  const taken = new Set<string>();
  try {
    const cells = raw['cells'].map((c, i) => readCell(c, i, taken));
    return {
      cells,
      metadata: (raw['metadata'] as Content) ?? {},
      nbformat: 4,
      nbformat_minor: 5,
    };
  } catch (e) {
    if (e instanceof UserError) throw new UserError(`${name}: ${e.message}`);
    throw e;
  }
}

/** The notebook in `file`. @throws UserError, as {@link parseNotebook}, or if it cannot be read. */
export function readNotebook(file: string): Notebook {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (e) {
    throw new UserError(`cannot read ${file}: ${(e as NodeJS.ErrnoException).code}`);
  }
  return parseNotebook(text, file);
}

function storedOutput(o: Output): unknown {
  if (o.output_type === 'stream') return { ...o, text: split(o.text) };
  if (o.output_type === 'error') return o;
  const data = Object.entries(o.data).map(([mime, v]) => {
    const lines = typeof v === 'string' && !mime.startsWith('image/png');
    return [mime, lines ? split(v as string) : v];
  });
  return { ...o, data: Object.fromEntries(data) };
}

/** The text of a notebook file: JSON with one space of indent, as Jupyter writes it. */
export function notebookText(nb: Notebook): string {
  const cells = nb.cells.map((c) => ({
    ...c,
    source: split(c.source),
    ...(c.outputs && { outputs: c.outputs.map(storedOutput) }),
  }));
  return `${JSON.stringify({ ...nb, cells }, null, 1)}\n`;
}

/** A file that is written beside its place and moved there whole, again and again. */
export function writeWhole(file: string, data: string | Uint8Array): void {
  const beside = join(dirname(file), `.${basename(file)}.${process.pid}.tmp`);
  try {
    writeFileSync(beside, data);
    renameSync(beside, file);
  } catch (e) {
    rmSync(beside, { force: true });
    const { code } = e as NodeJS.ErrnoException;
    throw new UserError(`cannot write ${file}: ${code}; name another place with -o`);
  }
}

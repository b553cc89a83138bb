// papermill's parameters: a cell tagged `parameters` holds defaults, a cell
// `injected-parameters` after it holds the values of this run.
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';
import type * as TS from 'typescript5';
import { UserError } from '../commands/command.js';
import { type Cell, type Notebook, newId } from './nbformat.js';

/** A parameter as the notebook declares it. */
export interface Parameter {
  readonly name: string;
  /** What stands after the ':' of the declaration, '' if nothing. */
  readonly type: string;
  /** The default, if it is a literal (a string, number, boolean, null, list or record of them). */
  readonly preset: unknown;
  readonly isLiteral: boolean;
}

export type Values = Record<string, unknown>;

const hasTag = (c: Cell, tag: string): boolean => c.metadata.tags?.includes(tag) ?? false;

/** The compiler that tslab brings with it. */
function compiler(): typeof TS {
  const require = createRequire(import.meta.url);
  const tslab = createRequire(require.resolve('tslab/package.json'));
  return tslab('@tslab/typescript-for-tslab') as typeof TS;
}

const noLiteral = Symbol('not a literal');

function literal(ts: typeof TS, e: TS.Expression | undefined): unknown {
  if (!e) return noLiteral;
  if (ts.isStringLiteral(e) || ts.isNoSubstitutionTemplateLiteral(e)) return e.text;
  if (ts.isNumericLiteral(e)) return Number(e.text);
  if (e.kind === ts.SyntaxKind.TrueKeyword) return true;
  if (e.kind === ts.SyntaxKind.FalseKeyword) return false;
  if (e.kind === ts.SyntaxKind.NullKeyword) return null;
  if (ts.isPrefixUnaryExpression(e) && e.operator === ts.SyntaxKind.MinusToken) {
    const n = literal(ts, e.operand);
    return typeof n === 'number' ? -n : noLiteral;
  }
  if (ts.isAsExpression(e) || ts.isParenthesizedExpression(e)) return literal(ts, e.expression);
  if (ts.isArrayLiteralExpression(e)) {
    const all = e.elements.map((x) => literal(ts, x));
    return all.includes(noLiteral) ? noLiteral : all;
  }
  if (!ts.isObjectLiteralExpression(e)) return noLiteral;
  const pairs = e.properties.map((p): [string, unknown] =>
    ts.isPropertyAssignment(p) && (ts.isIdentifier(p.name) || ts.isStringLiteral(p.name))
      ? [p.name.text, literal(ts, p.initializer)]
      : ['', noLiteral],
  );
  return pairs.some(([, v]) => v === noLiteral) ? noLiteral : Object.fromEntries(pairs);
}

/** The parameters a notebook declares; null if no cell is tagged `parameters`. */
export function parametersOf(nb: Notebook): Map<string, Parameter> | null {
  const cell = nb.cells.find((c) => c.cell_type === 'code' && hasTag(c, 'parameters'));
  if (!cell) return null;
  const ts = compiler();
  const file = ts.createSourceFile('cell.ts', cell.source, ts.ScriptTarget.ES2022, true);
  const found = new Map<string, Parameter>();
  for (const s of file.statements) {
    if (!ts.isVariableStatement(s)) continue;
    for (const d of s.declarationList.declarations) {
      if (!ts.isIdentifier(d.name)) continue;
      const value = literal(ts, d.initializer);
      const isLiteral = value !== noLiteral;
      const type = d.type?.getText(file) ?? '';
      const preset = isLiteral ? value : undefined;
      found.set(d.name.text, { name: d.name.text, type, preset, isLiteral });
    }
  }
  return found;
}

/** papermill's guess at a value whose type nothing tells. */
function guess(text: string): unknown {
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true';
  if (/^(null|none)$/i.test(text)) return null;
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text;
}

/**
 * The value of `text` for a parameter: of the same type as its default.
 * @throws UserError if `text` is no such value.
 */
export function parseValue(text: string, p: Parameter | undefined): unknown {
  const wrong = (what: string) =>
    new UserError(`parameter ${p?.name}: ${what} wanted, '${text}' given`);
  const { preset, type = '' } = p ?? {};
  if (typeof preset === 'string' || type === 'string') return text;
  if (typeof preset === 'number' || type === 'number') {
    const n = Number(text);
    if (text.trim() === '' || Number.isNaN(n)) throw wrong('a number');
    return n;
  }
  if (typeof preset === 'boolean' || type === 'boolean') {
    if (!/^(true|false)$/i.test(text)) throw wrong('true or false');
    return text.toLowerCase() === 'true';
  }
  if (preset === null || typeof preset !== 'object') return guess(text);
  try {
    return JSON.parse(text);
  } catch {
    throw wrong(Array.isArray(preset) ? 'a JSON list' : 'a JSON record');
  }
}

/** True where a value is the name of a file, so that one given from here must be found there. */
function isPath(p: Parameter | undefined, name: string, folder: string): boolean {
  if (/^(trace|before|after)$|_(file|path|trace)$/i.test(name)) return true;
  const preset = p?.preset;
  return typeof preset === 'string' && /[./]/.test(preset) && existsSync(resolve(folder, preset));
}

/** Values whose file names, given from the current folder, are made absolute. */
export function absolutePaths(
  values: Values,
  known: Map<string, Parameter> | null,
  folder: string,
): Values {
  const pairs = Object.entries(values).map(([name, v]) => {
    const file = typeof v === 'string' && isPath(known?.get(name), name, folder) && existsSync(v);
    return [name, file ? resolve(v as string) : v];
  });
  return Object.fromEntries(pairs);
}

/** @throws UserError naming the known ones, if `name` is not declared. */
export function checkName(name: string, known: Map<string, Parameter> | null, nb: string): void {
  if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name))
    throw new UserError(`'${name}' is not a name a parameter can have`);
  if (!known || known.has(name)) return;
  const names = [...known.keys()].join(', ') || 'none';
  throw new UserError(`${nb} has no parameter '${name}'. Known: ${names}`);
}

/** JSON that is a TypeScript expression on one line, safe inside HTML and scripts too. */
function expression(v: unknown): string {
  if (Array.isArray(v)) return `[${v.map(expression).join(',')}]`;
  if (typeof v === 'object' && v !== null && !(v instanceof Date)) {
    // between brackets, __proto__ is a key like any other
    const key = (k: string) => (k === '__proto__' ? '["__proto__"]' : expression(k));
    return `{${Object.entries(v)
      .map(([k, x]) => `${key(k)}:${expression(x)}`)
      .join(',')}}`;
  }
  return JSON.stringify(v).replace(
    /[\u2028\u2029<]/g,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** The source of the injected cell. */
export function injectedSource(values: Values, known: Map<string, Parameter> | null): string {
  const lines = Object.entries(values).map(([name, v]) => {
    const type = known?.get(name)?.type;
    return `let ${name}${type ? `: ${type}` : ''} = ${expression(v)};`;
  });
  return ['// Parameters', ...lines].join('\n');
}

/**
 * A copy of `nb` with the values of this run after its `parameters` cell (first of all, if it has
 * none), in the place of those of an earlier run.
 */
export function inject(
  nb: Notebook,
  values: Values,
  known: Map<string, Parameter> | null,
): Notebook {
  const cells = nb.cells.filter((c) => !hasTag(c, 'injected-parameters'));
  if (Object.keys(values).length === 0) return { ...nb, cells };
  const cell: Cell = {
    id: newId(new Set(cells.map((c) => c.id))),
    cell_type: 'code',
    metadata: { tags: ['injected-parameters'] },
    source: injectedSource(values, known),
    execution_count: null,
    outputs: [],
  };
  const at = cells.findIndex((c) => hasTag(c, 'parameters')) + 1;
  return { ...nb, cells: [...cells.slice(0, at), cell, ...cells.slice(at)] };
}

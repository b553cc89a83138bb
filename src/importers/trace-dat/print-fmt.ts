import { enumValues } from './enum-values.js';
import { norm } from './int.js';

/** An expression of a `print fmt`, in C. */
export type Expr =
  /** An integer literal as it stands, for its suffix tells its type. */
  | { readonly kind: 'int'; readonly value: number | bigint; readonly literal?: string }
  | { readonly kind: 'text'; readonly value: string }
  | { readonly kind: 'field'; readonly name: string }
  | { readonly kind: 'index'; readonly of: Expr; readonly at: Expr }
  | { readonly kind: 'unary'; readonly op: string; readonly of: Expr }
  | { readonly kind: 'binary'; readonly op: string; readonly a: Expr; readonly b: Expr }
  | { readonly kind: 'if'; readonly test: Expr; readonly yes: Expr; readonly no: Expr }
  | { readonly kind: 'cast'; readonly type: string; readonly of: Expr }
  | { readonly kind: 'call'; readonly name: string; readonly args: readonly Expr[] }
  | { readonly kind: 'pair'; readonly items: readonly Expr[] }
  /** A structure of one member. */
  | { readonly kind: 'structure'; readonly member: string; readonly of: Expr }
  /** What has no meaning outside the kernel, and the fields that stand in it. */
  | {
      readonly kind: 'unknown';
      readonly what: string;
      readonly fields: readonly string[];
      /** Where it is but a name, which may be that of a field. */
      readonly name?: string;
    };

/** A `print fmt` taken apart. */
export interface PrintFmt {
  readonly format: string;
  readonly args: readonly Expr[];
}

/** What this parser does not know; the event then keeps its raw fields. */
export class Unsupported extends Error {}

interface Tokens {
  readonly list: readonly string[];
  at: number;
}

const token =
  /\s+|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\[^'][^']*|\\')'|0[xX][0-9a-fA-F]+[uUlL]*|\d+[uUlL]*|[A-Za-z_]\w*|->|<<|>>|<=|>=|==|!=|&&|\|\||[-+*/%&|^~!<>?:(),.{}[\];=]/gy;

const maxTokens = 20_000;
const maxDepth = 200;

function tokenize(text: string): Tokens {
  const list: string[] = [];
  let at = 0;
  for (const m of text.matchAll(token)) {
    if (m.index !== at) break;
    at += m[0].length;
    if (m[0].trim() !== '') list.push(m[0]);
    if (list.length > maxTokens) throw new Unsupported('too long');
  }
  if (at !== text.length) throw new Unsupported(`unexpected ${text.slice(at, at + 20)}`);
  return { list, at: 0 };
}

const escapes: Record<string, string> = { n: '\n', t: '\t', r: '\r', 0: '\0', a: '\x07' };

/** The text of a C string literal. */
export const unquote = (literal: string): string =>
  literal
    .slice(1, -1)
    .replace(/\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)/gs, (_, e: string) =>
      /^x./.test(e)
        ? String.fromCharCode(Number.parseInt(e.slice(1), 16))
        : /^[0-7]+$/.test(e)
          ? String.fromCharCode(Number.parseInt(e, 8))
          : (escapes[e] ?? e),
    );

const peek = (t: Tokens): string | undefined => t.list[t.at];

function eat(t: Tokens, what: string): boolean {
  if (t.list[t.at] !== what) return false;
  t.at++;
  return true;
}

function need(t: Tokens, what: string): void {
  if (!eat(t, what)) throw new Unsupported(`'${what}' expected, '${peek(t) ?? 'the end'}' found`);
}

function strings(t: Tokens): string {
  let text = '';
  while (peek(t)?.startsWith('"')) text += unquote(t.list[t.at++]!);
  return text;
}

function integer(literal: string): Expr {
  const digits = literal.replace(/[uUlL]+$/, '');
  const octal = /^0[0-7]+$/.test(digits);
  if (!octal && /^0\d/.test(digits)) throw new Unsupported(`the number ${literal}`);
  return { kind: 'int', value: norm(BigInt(octal ? `0o${digits}` : digits)), literal };
}

const typeWord =
  /^(const|volatile|unsigned|signed|struct|enum|union|void|char|short|int|long|bool|uint|ushort|ulong|size_t|ssize_t|u8|u16|u32|u64|s8|s16|s32|s64|__u8|__u16|__u32|__u64|__s8|__s16|__s32|__s64|__le16|__le32|__le64|__be16|__be32|__be64|uint8_t|uint16_t|uint32_t|uint64_t|\w+_t)$/;

/** '(type)' at the tokens' place, as its words; null if it is no cast. */
function castType(t: Tokens): string | null {
  if (peek(t) !== '(' || !typeWord.test(t.list[t.at + 1] ?? '')) return null;
  const words: string[] = [];
  let i = t.at + 1;
  while (/^\w+$|^\*$/.test(t.list[i] ?? '')) words.push(t.list[i++]!);
  if (t.list[i] !== ')') return null;
  t.at = i + 1;
  return words.join(' ');
}

const levels = [
  ['||'], ['&&'], ['|'], ['^'], ['&'], ['==', '!='], ['<', '>', '<=', '>='], ['<<', '>>'],
  ['+', '-'], ['*', '/', '%'],
]; // biome-ignore format: a table

function list(t: Tokens, close: string, depth: number): Expr[] {
  const items: Expr[] = [];
  if (eat(t, close)) return items;
  do {
    if (peek(t) === close) break; // a trailing comma
    items.push(ternary(t, depth + 1));
  } while (eat(t, ','));
  need(t, close);
  return items;
}

function primary(t: Tokens, depth: number): Expr {
  const head = peek(t);
  if (head === undefined) throw new Unsupported('it ends too early');
  if (head.startsWith('"')) return { kind: 'text', value: strings(t) };
  if (/^\d/.test(head)) return integer(t.list[t.at++]!);
  if (head.startsWith("'")) {
    t.at++;
    return { kind: 'int', value: unquote(head).charCodeAt(0) };
  }
  if (eat(t, '(')) {
    if (peek(t) === '{') return statements(t);
    const inner = ternary(t, depth + 1);
    need(t, ')');
    return inner;
  }
  if (eat(t, '{')) return { kind: 'pair', items: list(t, '}', depth) };
  if (!/^[A-Za-z_]/.test(head)) throw new Unsupported(`unexpected '${head}'`);
  t.at++;
  if (head === 'REC' && eat(t, '->')) return { kind: 'field', name: t.list[t.at++]! };
  if (head === 'sizeof' && peek(t) === '(') return sizeOf(t);
  if (eat(t, '(')) {
    // A field's name or a type stands bare between the brackets of some calls.
    const bare = t.list[t.at + 1] === ')' && /^[A-Za-z_]\w*$/.test(peek(t)!) ? peek(t) : undefined;
    if (bare !== undefined && bare !== 'REC') {
      t.at += 2;
      return { kind: 'call', name: head, args: [{ kind: 'text', value: bare }] };
    }
    return { kind: 'call', name: head, args: callArgs(t, depth) };
  }
  const value = enumValues[head];
  if (value !== undefined) return { kind: 'int', value };
  return { kind: 'unknown', what: `the name ${head}`, fields: [], name: head };
}

/** '{ .tv64 = x }' behind the name of a structure: older kernels wrap a time in one. */
function structure(t: Tokens, depth: number): Expr {
  need(t, '{');
  need(t, '.');
  const member = t.list[t.at++] ?? '';
  need(t, '=');
  const of = ternary(t, depth + 1);
  need(t, '}');
  return { kind: 'structure', member, of };
}

/** GNU C's '({ ... })' from its brace on. */
function statements(t: Tokens): Expr {
  const fields: string[] = [];
  let open = 1;
  while (open > 0) {
    const token = t.list[t.at++];
    if (token === undefined) throw new Unsupported('it ends too early');
    if (token === '(') open++;
    if (token === ')') open--;
    if (token === 'REC' && peek(t) === '->') fields.push(t.list[t.at + 1] ?? '');
  }
  return { kind: 'unknown', what: 'statements in an expression', fields };
}

/** 'sizeof (type)': the type's words as text. */
function sizeOf(t: Tokens): Expr {
  const type = castType(t);
  if (type !== null) return { kind: 'call', name: 'sizeof', args: [{ kind: 'text', value: type }] };
  need(t, '(');
  const of = ternary(t, 0);
  need(t, ')');
  return { kind: 'call', name: 'sizeof', args: [of] };
}

/** Arguments; __get_dynamic_array(name) and the like name a field bare. */
function callArgs(t: Tokens, depth: number): Expr[] {
  return list(t, ')', depth);
}

function postfix(t: Tokens, depth: number): Expr {
  let e = primary(t, depth);
  while (peek(t) === '[') {
    t.at++;
    const at = ternary(t, depth + 1);
    need(t, ']');
    e = { kind: 'index', of: e, at };
  }
  let member = false;
  while (peek(t) === '->' || peek(t) === '.') {
    const name = t.list[t.at + 1];
    t.at += 2;
    if (e.kind === 'structure' && e.member === name) e = e.of;
    else member = true;
  }
  return member ? { kind: 'unknown', what: 'a member of a structure', fields: fieldsIn(e) } : e;
}

function unary(t: Tokens, depth: number): Expr {
  if (depth > maxDepth) throw new Unsupported('too deep');
  const type = castType(t);
  if (type !== null && peek(t) === '{') return structure(t, depth);
  if (type !== null) return { kind: 'cast', type, of: unary(t, depth + 1) };
  const op = peek(t);
  if (op === '-' || op === '+' || op === '!' || op === '~' || op === '*' || op === '&') {
    t.at++;
    return { kind: 'unary', op, of: unary(t, depth + 1) };
  }
  return postfix(t, depth);
}

function binary(t: Tokens, level: number, depth: number): Expr {
  if (level === levels.length) return unary(t, depth);
  let a = binary(t, level + 1, depth + 1);
  for (let op = peek(t); op !== undefined && levels[level]!.includes(op); op = peek(t)) {
    t.at++;
    a = { kind: 'binary', op, a, b: binary(t, level + 1, depth + 1) };
  }
  return a;
}

function ternary(t: Tokens, depth: number): Expr {
  const test = binary(t, 0, depth + 1);
  if (!eat(t, '?')) return test;
  const yes = ternary(t, depth + 1);
  need(t, ':');
  return { kind: 'if', test, yes, no: ternary(t, depth + 1) };
}

/** Is it 0, or '((void *)0)', which NULL becomes? */
export const isNull = (e: Expr): boolean =>
  e.kind === 'cast' ? isNull(e.of) : e.kind === 'int' && e.value === 0;

/** Names of the fields that an expression reads. */
export function fieldsIn(e: Expr): string[] {
  switch (e.kind) {
    case 'field':
      return [e.name];
    case 'index':
      return [...fieldsIn(e.of), ...fieldsIn(e.at)];
    case 'binary':
      return [...fieldsIn(e.a), ...fieldsIn(e.b)];
    case 'if':
      return [...fieldsIn(e.test), ...fieldsIn(e.yes), ...fieldsIn(e.no)];
    case 'unary':
    case 'cast':
    case 'structure':
      return fieldsIn(e.of);
    case 'pair':
      return e.items.flatMap(fieldsIn);
    case 'unknown':
      return [...e.fields];
    case 'call':
      return e.args.flatMap((a) =>
        a.kind === 'text' && e.name.startsWith('__get') ? [a.value] : fieldsIn(a),
      );
    default:
      return [];
  }
}

/**
 * Take the text behind 'print fmt: ' apart.
 * @throws Unsupported for what ptlab cannot evaluate.
 */
export function parsePrintFmt(text: string): PrintFmt {
  const t = tokenize(text);
  if (!peek(t)?.startsWith('"')) throw new Unsupported('no format string');
  const format = strings(t);
  const args: Expr[] = [];
  while (eat(t, ',')) args.push(ternary(t, 0));
  if (t.at !== t.list.length) throw new Unsupported(`unexpected '${peek(t)}'`);
  return { format, args };
}

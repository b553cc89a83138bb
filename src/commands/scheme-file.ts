import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Scheme } from '../linux/scheme.js';
import { schemes } from '../schemes/index.js';
import { byName, UserError } from './command.js';
import { guarded, tick, type Where } from './scheme-guard.js';
import { namesLike, type SchemeSource, schemeSource } from './scheme-source.js';

const points = ['enterOverwrite', 'beforeClear', 'afterClear', 'beforeFree', 'free', 'afterFree', 'leaveOverwrite', 'walkBegin', 'walkLock', 'walkUnlock', 'walkEnd']; // biome-ignore format: one line
const words = ['name', 'title', 'source', 'era', 'claim', 'expect', 'pudOrder', 'setUp'];

/** A scheme as a file gave it, checked; what may be left out is filled in. */
function checkScheme(path: string, value: unknown, where: Where): Scheme {
  if (typeof value !== 'object' || value === null)
    throw new UserError(`${path} has no scheme: 'export default { name: ..., ... }'`);
  const given = value as Record<string, unknown>;
  for (const key of Object.keys(given)) {
    if (!points.includes(key) && !words.includes(key))
      throw new UserError(`${path}: unknown point '${key}'. Known: ${points.join(', ')}`);
    if ((points.includes(key) || key === 'setUp') && typeof given[key] !== 'function')
      throw new UserError(`${path}: ${key} is not a function`);
  }
  const code = Object.entries(given).filter((e): e is [string, () => unknown] => typeof e[1] === 'function'); // biome-ignore format: one line
  if (typeof given['name'] !== 'string' || given['name'] === '')
    throw new UserError(`${path}: the scheme has no name: { name: 'my-scheme', ... }`);
  const text = (key: string, preset: string): string => String(given[key] ?? preset);
  const name = given['name'].replace(/[^\w.-]/g, '_');
  return {
    title: text('title', name),
    source: path,
    era: 'never merged',
    claim: 'none stated',
    ...given,
    ...Object.fromEntries(code.map(([key, f]) => [key, guarded(key, f.bind(given), where)])),
    name,
  } as Scheme;
}

interface Loaded {
  readonly default?: unknown;
  readonly __ticking: (tick: () => void) => void;
}

/** Every name the file imports must be one of the library's. */
async function checkNames(path: string, { library, names }: SchemeSource): Promise<void> {
  const has = (await import(library)) as Readonly<Record<string, unknown>>;
  const missing = names.find((name) => !(name in has));
  if (missing === undefined) return;
  const like = namesLike(missing);
  throw new UserError(`${path}: ptlab has no '${missing}'; it has ${(like.length > 0 ? like : namesLike('')).join(', ')}`); // biome-ignore format: one line
}

/**
 * A scheme by name, from a file (./my-scheme.ts, .js, .mjs: it is code, and is run), or from a record of its points, as
 * a notebook cell writes it.
 * @throws UserError naming the point, and in a file the line, of what is wrong.
 * @example const mine = await schemeOf({ name: 'mine', *beforeFree(sys) { yield* synchronize_rcu(sys); } });
 */
export async function schemeOf(name: string | Partial<Scheme>): Promise<Scheme> {
  if (typeof name !== 'string') return checkScheme(String(name.name), name, () => String(name.name)); // biome-ignore format: one line
  if (!/[./\\]/.test(name)) return byName('scheme', schemes, name);
  const source = schemeSource(name);
  const { code, where } = source;
  await checkNames(name, source);
  const folder = mkdtempSync(join(tmpdir(), 'ptlab-scheme-'));
  const file = join(folder, 'scheme.mjs');
  try {
    writeFileSync(file, code);
    const module = (await import(pathToFileURL(file).href)) as Loaded;
    module.__ticking(tick);
    return checkScheme(name, module.default, where);
  } catch (e) {
    if (e instanceof UserError) throw e;
    throw new UserError(`cannot load the scheme ${where(e)}: ${(e as Error).message}`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A scheme file to begin with, for the help. */
export const template = `
  // my-scheme.ts: v6, but the lock is held over the free
  import { DEFINE_STATIC_KEY_FALSE, mmap_read_lock, mmap_read_unlock,
    place, static_branch_dec, static_branch_inc,
    static_branch_unlikely, type Scheme } from 'ptlab';

  const key = (sys) => place(sys, 'my_key');
  const init_mm = (sys) => place(sys, 'init_mm');

  export default {
    name: 'my-scheme',
    setUp: (sys) => void DEFINE_STATIC_KEY_FALSE(sys, 'my_key', 8),
    *walkBegin(sys) { yield* static_branch_inc(sys, key(sys)); },
    *walkEnd(sys) { yield* static_branch_dec(sys, key(sys)); },
    *beforeFree(sys, frame) {
      if (!(yield* static_branch_unlikely(key(sys)))) return;
      yield* mmap_read_lock(init_mm(sys));
      frame.locked = 1;          // what later points need to know
    },
    *afterFree(sys, frame) {
      if (frame.locked) yield* mmap_read_unlock(init_mm(sys));
    },
  } satisfies Partial<Scheme>;

  Points, in order: enterOverwrite (gives false to refuse),
  beforeClear, afterClear, beforeFree, free, afterFree,
  leaveOverwrite; walkBegin, walkLock, walkUnlock, walkEnd.
  Always 'yield*'; remember things in 'frame' only. To wait
  until a word is 0: yield { op: 'wait', on: place(sys, 'word'),
  is: 'eq', value: 0 }, not a loop that reads it.`;

// Waits for traces to arrive in a folder.
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { UserError } from '../commands/command.js';

/** A file is whole when it has not changed for two looks, `pollMs` apart. */
const pollMs = 500;

/** Never a trace: hidden, still being written, or an output of ours. */
const never = /^\.|\.(part|tmp|swp|ipynb|html|json|md)$|~$/;

/** Size and time of change of every file in `folder`, by path. */
function look(folder: string): Map<string, string> {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch (e) {
    throw new UserError(`cannot read ${folder}: ${(e as NodeJS.ErrnoException).code}`);
  }
  const found = new Map<string, string>();
  for (const name of names.filter((n) => !never.test(n)).sort()) {
    const file = join(folder, name);
    const s = statSync(file, { throwIfNoEntry: false });
    if (s?.isFile() && s.size > 0) found.set(file, `${s.size} ${s.mtimeMs} ${s.ino}`);
  }
  return found;
}

/**
 * Files that arrive in `folder` or change there from this call on, each once it is whole; those
 * already there count if `existing`. Ends when `signal` is given.
 * @throws UserError if the folder cannot be read: now, or when it is gone later.
 */
export function arrivals(
  folder: string,
  existing: boolean,
  signal: AbortSignal,
): AsyncGenerator<string> {
  const there = look(folder);
  const [done, before] = existing ? [new Map(), there] : [there, new Map()];
  return news(folder, done, before, signal);
}

/** `done` are the files told, `before` those of the last look. */
async function* news(
  folder: string,
  done: Map<string, string>,
  before: Map<string, string>,
  signal: AbortSignal,
): AsyncGenerator<string> {
  let last = before;
  while (!signal.aborted) {
    await sleep(pollMs, undefined, { signal }).catch(() => {});
    if (signal.aborted) return;
    const now = look(folder);
    for (const [file, state] of now) {
      if (last.get(file) !== state || done.get(file) === state) continue;
      done.set(file, state);
      yield file;
      if (signal.aborted) return;
    }
    last = now;
  }
}

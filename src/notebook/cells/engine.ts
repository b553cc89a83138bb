// tslab's executor, told apart by what it does with its console: one value is the last
// expression, one error is what was thrown, five arguments are a complaint of the compiler.
import { createRequire } from 'node:module';
import vm from 'node:vm';
import type { CellError } from '../frames.js';
import { type Converted, type Converter, createConverter, takeMap } from './compiler.js';
import { type Complaint, compileError, describe, fileOf, remember } from './errors.js';

interface Executor {
  execute(source: string): Promise<boolean>;
  inspect(source: string, at: number): unknown;
  complete(source: string, at: number): { start: number; end: number; candidates: string[] };
  interrupt(): void;
}

/** How a cell ended: an error, or the value of its last expression in a list. */
export interface Ended {
  readonly error?: CellError;
  readonly value: readonly unknown[];
}

export interface Engine {
  /** Run a cell; `label` is its name in traces. */
  run(source: string, label: string): Promise<Ended>;
  /** Give up waiting for what a cell awaits. */
  interrupt(): void;
  inspect: Executor['inspect'];
  complete: Executor['complete'];
}

/** How cells show something: a whole message, or an order to clear. */
export type Show = ((message: unknown, update?: boolean) => void) & {
  clear: (wait: boolean) => void;
};

const require = createRequire(import.meta.url);

/** How tslab ends the code it makes of a cell. */
const tail = '\n})(__tslab__.exports, __tslab__.require)';

export const interrupted: CellError = {
  ename: 'Interrupted',
  evalue: 'the cell was interrupted; its variables are kept',
  traceback: ['Interrupted: the cell was interrupted; its variables are kept'],
};

/** Give the code of cells a name of its own, and leave Ctrl-C to the watchdog. */
function nameCode(file: () => string): void {
  const plain = vm.runInThisContext;
  vm.runInThisContext = (code, options) =>
    code.endsWith(tail) ? plain(code, { filename: file() }) : plain(code, options);
}

/**
 * The engine in the current folder. `compiling` is told when the compiler begins and ends: it must
 * not be cut off. tslab's `display` calls `show`.
 */
export function createEngine(compiling: (yes: boolean) => void, show: Show): Engine {
  let label = '0';
  let ended: { error?: CellError; value: unknown[] } = { value: [] };
  let complaints: Complaint[] = [];
  const named = (converter: Converter): Converter => ({
    ...converter,
    convert(previous, source) {
      compiling(true);
      try {
        const made: Converted = converter.convert(previous, source);
        const shift = made.hasToplevelAwait ? 36 : 30; // '(async function(exports, require) { '
        if (made.diagnostics.length === 0)
          remember({ label, source, where: takeMap(made.output ?? '', shift) });
        return made;
      } finally {
        compiling(false);
      }
    },
  });
  const node = named(createConverter());
  let browser: Converter | undefined;
  const converters = {
    node,
    get browser() {
      return (browser ??= named(createConverter(true)));
    },
    close: () => {},
  };
  nameCode(() => fileOf(label));
  const { createExecutor } = require('tslab/dist/executor.js');
  const executor: Executor = createExecutor(process.cwd(), converters, {
    log: (value: unknown) => ended.value.push(value),
    error: (...a: unknown[]) => {
      if (a.length === 1) ended.error = describe(a[0]);
      else complaints.push(complaint(a));
    },
  });
  require('tslab/dist/jupyter.js').lastWriteDisplayData = show;
  return {
    async run(source, name) {
      label = name;
      ended = { value: [] };
      complaints = [];
      const mine = ended;
      await executor.execute(source);
      if (complaints.length > 0) mine.error = compileError(name, source, complaints);
      if (mine.error?.evalue === 'Interrupted asynchronously') mine.error = interrupted;
      return mine;
    },
    interrupt: executor.interrupt,
    inspect: executor.inspect,
    complete: executor.complete,
  };
}

/** tslab prints '%s%d:%d - %s': file, line, column, text. */
function complaint([, file, line, column, text]: unknown[]): Complaint {
  const start = { line: Number(line) - 1, character: Number(column) - 1 };
  const fileName = String(file).trim();
  return { start, messageText: String(text), ...(fileName !== '' && { fileName }) };
}

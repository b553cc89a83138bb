import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeText } from '../../src/events/dict.js';
import { memoryWriter } from '../../src/events/file.js';
import { addRow, type Log } from '../../src/events/log.js';
import { newMeta } from '../../src/events/meta.js';
import { type Shape, type ShapeField, shapes } from '../../src/events/shapes.js';
import { useBytes } from '../../src/importers/bytes.js';
import { putAddressed, putMarker } from '../../src/importers/ftrace/markers.js';
import { match, matcherOf } from '../../src/importers/ftrace/payload.js';
import { readSourceLine } from '../../src/importers/ftrace/read.js';
import { endStack, newState, type State } from '../../src/importers/ftrace/state.js';
import { readLines } from '../../src/importers/ftrace/text.js';
import { readFtrace, rowsOf } from '../traces.js';

/** The table that `read` makes, and what was counted beside it. */
async function tableOf(read: (s: State) => unknown) {
  const meta = newMeta('x', 'ftrace');
  const writer = memoryWriter(meta);
  const s = newState(writer.log, meta);
  await read(s);
  endStack(s);
  return { rows: rowsOf(writer.finish(meta)), notes: meta.notes, unparsed: meta.unparsed.lines };
}

const bytesOf = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'));

/** As readLines, but without the fast path. */
function readSlowly(s: State, lines: readonly string[]): void {
  for (const line of lines) {
    const bytes = bytesOf(line.replace(/\r$/, ''));
    if (!readSourceLine(s, bytes, 0, bytes.length)) s.meta.unparsed.lines++;
  }
}

const values: Record<ShapeField['kind'], fc.Arbitrary<string>> = {
  d: fc.oneof(fc.bigInt({ min: 0n, max: 1n << 65n }).map(String), fc.nat(9000).map(String), fc.constant('007')),
  i: fc.bigInt({ min: -(1n << 64n), max: 1n << 64n }).map(String),
  x: fc.oneof(fc.bigInt({ min: 0n, max: 1n << 66n }).map((v) => v.toString(16)), fc.constantFrom('0', '00', '0f', '')),
  p: fc.bigInt({ min: 0n, max: 1n << 65n }).map((v) => v.toString(16).padStart(16, '0')),
  s: fc.constantFrom('vfree+0x0/0x270', 'ffff800080026e48', 'a', '', 'SPIN|MUTEX', 'a b', 'caf\u00e9'),
  '!': fc.constantFrom('0', '1', '2', ''),
  f: fc.constantFrom('0', '1', '10'),
  t: fc.constantFrom('true', 'false', 'tru', ''),
  w: fc.constantFrom('true', 'false', 'yes'),
}; // biome-ignore format: a table

/** A text of a shape, with some pointers as trace-cmd prints them, at times with a byte that is wrong or one too few. */
const textOf = (shape: Shape): fc.Arbitrary<string> =>
  fc
    .tuple(
      fc.tuple(...shape.fields.map((f) => values[f.kind])),
      fc.boolean(),
      fc.constantFrom('', '', '', ' more', '\r'),
      fc.option(fc.tuple(fc.nat(90), fc.constantFrom('', ' ', 'f', '0', ')', '='), fc.nat(1)), { freq: 2 }),
    )
    .map(([fields, report, behind, wrong]) => {
      const literal = (f: ShapeField) => f.literal + (report && f.kind === 'p' ? '0x' : '');
      const text = shape.fields.map((f, i) => literal(f) + fields[i]).join('') + shape.tail + behind;
      return wrong === null ? text : text.slice(0, wrong[0]) + wrong[1] + text.slice(wrong[0] + wrong[2]);
    }); // biome-ignore format: short

const named = fc
  .constantFrom(...Object.keys(shapes))
  .chain((name) => fc.tuple(fc.constant(name), textOf(shapes[name]!)));

test('a matcher as code takes a text apart as the matcher that looks at each field does', async () => {
  let fits = 0;
  const rowsBy = async (how: (log: Log) => number) => {
    let stop = -1;
    const table = await tableOf(({ log }) => {
      addRow(log, 0, 0, log.dicts.event.intern('x'));
      stop = how(log);
    });
    return { stop, ...table };
  };
  await fc.assert(
    fc.asyncProperty(named, fc.nat(4), async ([name, text], cut) => {
      const buf = bytesOf(`##${text}\n####`);
      const end = buf.length - cut;
      const m = matcherOf(name)!;
      for (const way of [m, m.report ?? m]) {
        useBytes(buf);
        const wanted = await rowsBy((log) => match(log, way, buf, 2, end));
        expect(await rowsBy((log) => way.run(log, buf, 2, end))).toEqual(wanted);
        if (wanted.stop > 0) fits++;
      }
    }),
    { numRuns: 500 },
  );
  expect(fits).toBeGreaterThan(100);
});

const heads = fc.constantFrom(
  '           ldmod-87      [000] d....', '           ldmod-87      [001] d....', '          <idle>-0       [000] .....',
  '            bash-1234567 [003] d..1.', '          vmix/0-67    [000]', '    Binder_1-18926 (-----) [005] ...1',
  '    Binder_1-18926 ( 1234) [005] ...1', '     a-1 b-2 [9]-3     [002] .....', '            sshd-12      [000] d.h2.B.',
); // biome-ignore format: a table

const stamps = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.nat(3), fc.nat(999999)).map(([s, us]) => `     ${s}.${String(us).padStart(6, '0')}: `) },
  fc.constantFrom(' 99999999.000001: ', '  1.5: ', '  12.123456789: ', '  1.123456:  ', '  1.123456: (+12)  ', ' 123: ', '4.544809: ', '     x.123456: '),
); // biome-ignore format: a table

const bodies = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(named, fc.constantFrom('', '    ')).map(([[name, text], pad]) => `${name}: ${pad}${text}`) },
  fc.constantFrom(
    'sched_wakeup: comm=a pid=1 prio=120', 'sched_waking: comm=a pid=1 prio=120', 'do_exit <-sys_exit', '.text+3 <-_start',
    'do_exit <-sys exit', 'do:exit <-sys_exit', 'name: <-b', 'f <-g (repeats: 2, last_ts: 1)', '0xffff800078ae04b0: vmix op=purge',
    '0xffff800078ae04b4: vmix op=huge', 'ffff0000 <-x', 'x <-caf\u00e9', 'a: b', 'a:', '', '<stack trace>', 'kernel_stack: <stack trace >',
    'vfree:', 'vfree: ', 'bprint:   ffff800078ae04b0: vmix op=purge', 'print:   tracing_mark_write: MARK', 'bputs: do_exit+0x4: x', '0: hello', 'funcgraph_entry:        1.936 us   |      pmd_set_huge();', 'funcgraph_exit:       + 10.288 us  |        }',
    `long: ${'x'.repeat(5000)}`, `${'f'.repeat(5000)} <-g`,
  ),
); // biome-ignore format: a table

const others = fc.constantFrom(
  '[UNKNOWN EVENT][UNKNOWN EVENT] (NULL):               [UNKNOWN EVENT]', '[UNKNOWN EVENT][UNKNOWN EVENT] (NULL): more',
  ' => one', 'PROCESS DUMP', '# tracer: function_graph', 'CPU:1 [LOST 5 EVENTS]', 'what is this?', '',
); // biome-ignore format: a list

test('the fast path and the one for any line give the same table', async () => {
  const event = fc.tuple(heads, stamps, bodies).map((parts) => parts.join(''));
  const line = fc.oneof({ weight: 12, arbitrary: event }, { weight: 1, arbitrary: others });
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 40, size: 'max' }), fc.integer({ min: 50, max: 5000 }), async (some, size) => {
      const lines = [...some, ...some];
      const bytes = bytesOf(lines.map((l) => `${l}\n`).join(''));
      const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) =>
        bytes.subarray(i * size, (i + 1) * size),
      );
      expect(await tableOf((s) => readLines(s, pieces))).toEqual(await tableOf((s) => readSlowly(s, lines)));
    }),
    { numRuns: 200 },
  ); // biome-ignore format: short
});

test('pointers as trace-cmd report prints them go into columns, and their text is kept', async () => {
  const head = '             cut-80    [001]     1.225995: ';
  const lock = 0xffff000012ec8440n;
  const texts = {
    contention_begin: `0x${lock.toString(16)} (flags=SPIN|MUTEX)`,
    contention_end: `0x${lock.toString(16)} (ret=-16)`,
    mmap_lock_released: `mm=0x${lock.toString(16)} memcg_path= write=true`,
  };
  const lines = Object.entries(texts).map(([name, text]) => `${head}${name}:   ${text}\n`);
  const rows = rowsOf(await readFtrace(lines.join('')));
  expect(rows).toMatchObject([
    { lock, lock_mode: 'SPIN|MUTEX', detail: texts.contention_begin },
    { lock, ret: -16n, detail: texts.contention_end },
    { lock, lock_mode: 'write', detail: texts.mmap_lock_released },
  ]);
});

test('a print at an address is taken from bytes as from its text', async () => {
  const unit = fc.constantFrom(...'0123456789abcdef');
  const place = fc.oneof(fc.string({ unit, minLength: 5, maxLength: 17, size: 'max' }), fc.constantFrom('', 'do_exit+0x4'));
  const parts = [fc.constantFrom('', '0x', 'ip='), place, fc.constantFrom(': ', ':', ' '), fc.constantFrom('', 'vmix op=purge', 'caf\u00e9 ')];
  let taken = 0;
  await fc.assert(
    fc.asyncProperty(fc.tuple(...parts).map((p) => p.join('')), async (text) => {
      const buf = bytesOf(text);
      const rows = (put: (log: Log) => unknown) =>
        tableOf(({ log }) => {
          addRow(log, 0, 0, log.dicts.event.intern('bprint'));
          put(log);
        });
      let isTaken = true;
      const got = await rows((log) => {
        isTaken = putAddressed(log, buf, 0, buf.length);
        if (!isTaken) putMarker(log, decodeText(buf));
      });
      expect(got).toEqual(await rows((log) => putMarker(log, decodeText(buf))));
      if (isTaken) taken++;
    }),
    { numRuns: 300 },
  );
  expect(taken).toBeGreaterThan(20);
}); // biome-ignore format: short

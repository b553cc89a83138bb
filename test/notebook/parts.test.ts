// The parts of kernel and runner that need no process.
import { PassThrough } from 'node:stream';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  askedName,
  calleeAt,
  fitting,
  toCharacters,
  toUtf16,
} from '../../src/notebook/cells/complete.js';
import { frame, frameReader, kinds, marker } from '../../src/notebook/frames.js';
import { escapeHtml, notebookHtml } from '../../src/notebook/html.js';
import { notebookText, parseNotebook } from '../../src/notebook/nbformat.js';
import { collector } from '../../src/notebook/outputs.js';
import { inject, injectedSource, parametersOf, parseValue } from '../../src/notebook/parameters.js';
import { history } from '../../src/notebook/server/history.js';
import { readRaw } from '../../src/notebook/server/raw.js';
import { excerptOf, tableHtml, tableText } from '../../src/notebook/tables.js';
import { decode, encode, header, type Message } from '../../src/notebook/wire.js';

/** `bytes` in pieces as long as `sizes` says. */
function pieces(bytes: Buffer, sizes: readonly number[]): Buffer[] {
  const all: Buffer[] = [];
  let at = 0;
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] ?? 1;
    all.push(bytes.subarray(at, at + size));
    at += size;
  }
  return all;
}

const bytes = fc.uint8Array({ maxLength: 60 }).map((b) => Buffer.from(b));
const sizes = fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 8 });

describe('wire', () => {
  const message = (content: object): Message => ({
    identities: [Buffer.from('client')],
    header: header('execute_request', 's'),
    parent: {},
    metadata: {},
    content: content as Message['content'],
    buffers: [Buffer.from([0, 255])],
  });

  test('a message comes back as it was sent', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (content, key) => {
        const m = message(JSON.parse(JSON.stringify(content)));
        expect(decode(key, encode(key, m))).toEqual(m);
      }),
    );
  });

  test('a changed byte of any signed part is refused', () => {
    const frames = encode('key', message({ code: '1' }));
    for (let part = 2; part < 7; part++) {
      const bad = frames.map((f) => Buffer.from(f));
      const target = bad[part] as Buffer;
      target[0] = (target[0] as number) ^ 1;
      expect(() => decode('key', bad)).toThrow(/wrong signature/);
    }
    expect(() => decode('other', frames)).toThrow(/wrong signature/);
    expect(() => decode('key', frames.slice(0, 5))).toThrow(/6 wanted/);
    expect(() => decode('key', [Buffer.from('x')])).toThrow(/delimiter/);
  });
});

test('frames come out whole and in order, however the bytes are cut', () => {
  const body = fc.record({
    kind: fc.constantFrom(...Object.values(kinds)),
    cell: fc.nat(),
    body: bytes,
  });
  fc.assert(
    fc.property(fc.array(body, { maxLength: 12 }), sizes, (frames, cuts) => {
      const read = frameReader();
      const all = Buffer.concat(frames.map((f) => frame(f.kind, f.cell, f.body)));
      expect(pieces(all, cuts).flatMap((p) => read(p))).toEqual(frames);
    }),
  );
});

test('markers are taken out of raw bytes, and hold back what follows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(bytes, { minLength: 2, maxLength: 5 }),
      sizes,
      async (parts, cuts) => {
        const told: Buffer[] = [];
        const stream = new PassThrough();
        const raw = readRaw(stream, 'secret', (b) => told.push(Buffer.from(b)));
        const all = parts.flatMap((p, i) => (i ? [Buffer.from(marker('secret', i)), p] : [p]));
        for (const p of pieces(Buffer.concat(all), cuts)) stream.write(p);
        for (let n = 1; n < parts.length; n++) {
          await raw.passed(n, 5000);
          expect(Buffer.concat(told)).toEqual(Buffer.concat(parts.slice(0, n)));
          raw.open(n);
        }
        stream.end();
        stream.destroy();
        await raw.passed(99, 5000);
        expect(Buffer.concat(told)).toEqual(Buffer.concat(parts));
      },
    ),
    { numRuns: 60 },
  );
});

test('positions go to characters and back', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), fc.nat(30), (text, n) => {
      const at = Math.min(n, [...text].length);
      expect(toCharacters(text, toUtf16(text, at))).toBe(at);
    }),
  );
});

test('completion goes on from what is typed; other case and the middle only without better', () => {
  const names = ['console', 'const', 'AbortController', 'Consent'];
  expect(fitting(names, 'con')).toEqual(['console', 'const']);
  expect(fitting(names, 'cONs')).toEqual(['console', 'const', 'Consent']);
  expect(fitting(names, 'control')).toEqual(['AbortController']);
  expect(fitting(names, 'x')).toEqual([]);
});

test('what a cell asks about, and whose arguments the cursor is in', () => {
  const asked = ['a?', '?a', ' fs.readFile?? ', 'a ? b : c', 'a', '?', 'a?.b'].map(askedName);
  expect(asked).toEqual(['a', 'a', 'fs.readFile', undefined, undefined, undefined, undefined]);
  for (const [code, name] of [
    ['f(g(1), ', 'f'],
    ['f(g(1', 'g'],
    ['f(1)', undefined],
    ['(1', undefined],
  ] as const) {
    const at = calleeAt(code, code.length);
    expect(at === undefined ? undefined : code[at]).toBe(name); // biome-ignore format: a table above
  }
});

describe('parameters', () => {
  const nb = (source: string) =>
    parseNotebook(
      JSON.stringify({
        nbformat: 4, nbformat_minor: 2, metadata: {},
        cells: [{ cell_type: 'code', metadata: { tags: ['parameters'] }, source, outputs: [] }],
      }), 'x'); // biome-ignore format: one record

  test('what a cell declares', () => {
    const known = parametersOf(
      nb("let a = 1, b: string = 'x';\nconst c = [-1, { d: null }];\nlet e = f();"),
    );
    expect([...known!.values()]).toEqual([
      { name: 'a', type: '', preset: 1, isLiteral: true },
      { name: 'b', type: 'string', preset: 'x', isLiteral: true },
      { name: 'c', type: '', preset: [-1, { d: null }], isLiteral: true },
      { name: 'e', type: '', preset: undefined, isLiteral: false },
    ]);
  });

  test('any value survives being written as source', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const source = injectedSource({ v: value }, null);
        expect(source.split('\n')).toHaveLength(2);
        expect(source).not.toContain('<');
        const got = new Function(`${source.replace('let v', 'const v')} return v;`)();
        expect(got).toEqual(JSON.parse(JSON.stringify(value)));
      }),
      { examples: [[JSON.parse('[{"__proto__": []}, {"</script>": "\\u2028"}]')]] },
    );
  });

  test('a value gets the type of its default', () => {
    const p = (preset: unknown, type = '') => ({ name: 'p', type, preset, isLiteral: true });
    expect(parseValue('5', p('x'))).toBe('5');
    expect(parseValue('5', p(1))).toBe(5);
    expect(parseValue('True', p(false))).toBe(true);
    expect(parseValue('[1]', p([]))).toEqual([1]);
    expect(parseValue('5', undefined)).toBe(5);
    expect(parseValue('none', undefined)).toBeNull();
    expect(() => parseValue('', p(1))).toThrow('a number wanted');
    expect(() => parseValue('1', p(true))).toThrow('true or false wanted');
    expect(() => parseValue('{', p({}))).toThrow('a JSON record wanted');
  });

  test('an injected cell gives way to the next', () => {
    const once = inject(nb('let a = 1;'), { a: 2 }, null);
    const twice = inject(once, { a: 3 }, null);
    expect(twice.cells.map((c) => c.source)).toEqual(['let a = 1;', '// Parameters\nlet a = 3;']);
  });
});

test('a notebook written and read is the same', () => {
  const output = fc.oneof(
    fc.record({
      output_type: fc.constant('stream' as const),
      name: fc.constant('stdout' as const),
      text: fc.string(),
    }),
    fc.record({
      output_type: fc.constant('display_data' as const),
      data: fc.record({ 'text/plain': fc.string(), 'image/png': fc.base64String() }),
      metadata: fc.constant({}),
    }),
  );
  fc.assert(
    fc.property(fc.array(output), fc.string(), (outputs, source) => {
      const cell = { cell_type: 'code', metadata: {}, source, outputs, execution_count: 1 };
      const text = JSON.stringify({
        nbformat: 4,
        nbformat_minor: 5,
        metadata: {},
        cells: [cell, cell],
      });
      const nb = parseNotebook(text, 'x');
      expect(parseNotebook(notebookText(nb), 'x')).toEqual(nb);
      expect(nb.cells[0]).toMatchObject(cell);
      expect(nb.cells[0]?.id).not.toBe(nb.cells[1]?.id);
    }),
  );
});

test('outputs: streams join, updates reach every copy, clear_output waits', () => {
  const m = (msg_type: string, content: object) => ({ header: { msg_type }, content }) as Message;
  const shown = (text: string) => ({
    data: { 'text/plain': text },
    metadata: {},
    transient: { display_id: 'd' },
  });
  const displays = new Map();
  const first = collector(displays);
  first.take(m('stream', { name: 'stdout', text: 'a' }));
  first.take(m('stream', { name: 'stdout', text: 'b' }));
  first.take(m('display_data', shown('old')));
  const second = collector(displays);
  second.take(m('display_data', shown('old')));
  second.take(m('update_display_data', shown('new')));
  expect(first.outputs()).toMatchObject([{ text: 'ab' }, { data: { 'text/plain': 'new' } }]);
  expect(second.outputs()).toMatchObject([{ data: { 'text/plain': 'new' } }]);
  first.take(m('clear_output', { wait: true }));
  expect(first.outputs()).toHaveLength(2);
  first.take(m('stream', { name: 'stderr', text: 'c' }));
  expect(first.outputs()).toMatchObject([{ name: 'stderr', text: 'c' }]);
});

test('history: the last, a range, a pattern', () => {
  const lines = ['a', 'b*', 'ab', 'a'].map((input, i) => ({
    number: i + 1,
    input,
    output: `${i}`,
  }));
  const ask = (c: object) => history(lines, c as Message['content']);
  expect(ask({ hist_access_type: 'tail', n: 2 })).toEqual([
    [1, 3, 'ab'],
    [1, 4, 'a'],
  ]);
  expect(ask({ hist_access_type: 'range', session: 0, start: 2, stop: 4, output: true })).toEqual(
    [[1, 2, ['b*', '1']], [1, 3, ['ab', '2']]],
  ); // biome-ignore format: a list
  expect(ask({ hist_access_type: 'range', session: 1, start: -1 })).toEqual([[1, 4, 'a']]);
  expect(ask({ hist_access_type: 'range', session: -1, start: 1 })).toEqual([]);
  expect(ask({ hist_access_type: 'search', pattern: 'a*' })).toHaveLength(3);
  expect(ask({ hist_access_type: 'search', pattern: 'a', unique: true })).toEqual([[1, 4, 'a']]);
  expect(ask({ hist_access_type: 'search', pattern: '?[*]' })).toEqual([]);
});

test('names from a trace are text in HTML', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (s) => {
      const html = escapeHtml(s);
      expect(html).not.toMatch(/[<>"']/);
      for (const c of html) expect(c === '\n' || c === '\t' || c >= ' ').toBe(true);
    }),
  );
  const evil = '</script><img src=x onerror=alert(1)>\x1b[2J\r\nBcc: x';
  const table = {
    columnNames: () => [evil],
    numRows: () => 1,
    objects: () => [{ [evil]: evil }],
  };
  const excerpt = excerptOf(table)!;
  for (const bad of ['<img', '\x1b', '\r', '\nBcc']) expect(tableHtml(excerpt)).not.toContain(bad);
  for (const bad of ['\x1b', '\r', '\nBcc']) expect(tableText(excerpt)).not.toContain(bad);
  const page = notebookHtml(
    parseNotebook(
      JSON.stringify({
        nbformat: 4, nbformat_minor: 5, metadata: {},
        cells: [
          { cell_type: 'markdown', metadata: {}, source: evil },
          { cell_type: 'code', metadata: {}, source: evil, outputs: [{ output_type: 'stream', name: 'stdout', text: evil }] },
        ],
      }), 'x'), evil); // biome-ignore format: one record
  expect(page).not.toContain('<img');
  expect(page).not.toContain('</script>');
});

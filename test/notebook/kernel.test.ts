// The kernel as a client sees it: Jupyter's messaging specification, over zeromq.
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Client, connect, streams, types } from './client.js';

let k: Client;
beforeAll(async () => {
  k = await connect();
  await k.run(
    'let kept = 1; const wait = (ms: number) => new Promise<void>((r) => setTimeout(() => r(), ms));',
  );
});
afterAll(() => k.end());

const dataOf = (out: readonly { header: { msg_type: string }; content: unknown }[], type: string) =>
  out
    .filter((m) => m.header.msg_type === type)
    .map((m) => (m.content as { data: Record<string, string> }).data);

describe('messages', () => {
  test('kernel_info says what the kernel is', async () => {
    const { reply } = await k.ask('kernel_info_request');
    expect(reply).toMatchObject({
      status: 'ok',
      protocol_version: '5.3',
      implementation: 'ptlab',
      language_info: { name: 'typescript', file_extension: '.ts', mimetype: 'text/typescript' },
    });
  });

  test('each request is framed by busy and idle, with the right parent', async () => {
    const { out, reply, replyTo } = await k.run('console.log("a"); 6 * 7');
    expect(types(out)).toEqual(['status', 'execute_input', 'stream', 'execute_result', 'status']);
    expect(out.at(0)?.content).toEqual({ execution_state: 'busy' });
    expect(out.at(-1)?.content).toEqual({ execution_state: 'idle' });
    expect(out.every((m) => m.parent.msg_type === 'execute_request')).toBe(true);
    expect(replyTo.header.msg_type).toBe('execute_reply');
    const { execution_count } = reply;
    expect(out[1]?.content).toEqual({ code: 'console.log("a"); 6 * 7', execution_count });
    expect(out[3]?.content).toEqual({
      data: { 'text/plain': '42' },
      metadata: {},
      execution_count,
    });
    expect(reply).toEqual({ status: 'ok', execution_count, payload: [], user_expressions: {} });
  });

  test('an error has name, value and a traceback in lines of the cell', async () => {
    const source =
      'interface A { x: number }\n\nfunction f(a: A): number {\n  throw new RangeError("no");\n}\nf({ x: 1 });';
    const { out, reply } = await k.run(source, { stop_on_error: false });
    expect(types(out)).toEqual(['status', 'execute_input', 'error', 'status']);
    const error = out[2]?.content as { ename: string; evalue: string; traceback: string[] };
    expect(error).toMatchObject({ ename: 'RangeError', evalue: 'no' });
    const n = reply['execution_count'];
    expect(error.traceback).toEqual([
      `cell ${n}, line 4`,
      '  3 | function f(a: A): number {',
      '> 4 |   throw new RangeError("no");',
      '  5 | }',
      '',
      'RangeError: no',
      `    at f (cell ${n}, line 4, column 9)`,
      `    at cell ${n}, line 6, column 1`,
    ]);
    expect(reply).toMatchObject({ status: 'error', ...error });
  });

  test('an error in a function of an earlier cell names that cell', async () => {
    const first = await k.run('const broken = () => {\n\n  throw new Error("far");\n};');
    const { out } = await k.run('1;\nbroken();', { stop_on_error: false });
    const text = String(out[2]?.content['traceback']);
    expect(text).toContain(`at broken (cell ${first.reply['execution_count']}, line 3`);
    expect(text).toContain(`at cell ${Number(first.reply['execution_count']) + 1}, line 2`);
  });

  test('the compiler complains in lines of the cell', async () => {
    const { reply } = await k.run('const a = 1;\nconst b: string = a;', { stop_on_error: false });
    const n = reply['execution_count'];
    expect(reply).toMatchObject({
      status: 'error',
      ename: 'CompileError',
      evalue: "Type 'number' is not assignable to type 'string'.",
    });
    expect((reply['traceback'] as string[]).at(-1)).toBe(
      `cell ${n}, line 2, column 7: Type 'number' is not assignable to type 'string'.`,
    );
  });

  test('silent: nothing is published, nothing is counted', async () => {
    const before = await k.run('1');
    const { out, reply } = await k.run('console.log(1); 2', { silent: true });
    expect(types(out)).toEqual(['status', 'status']);
    expect(reply['status']).toBe('ok');
    const after = await k.run('1', { store_history: false });
    expect(after.reply['execution_count']).toBe(before.reply['execution_count']);
  });

  test('stop_on_error aborts what waits, not what comes after the reply', async () => {
    const ids = [k.begin('await wait(200); throw 1'), k.begin('kept = 99'), k.begin('kept = 98')];
    const replies = await Promise.all(ids.map((id) => k.heard(id)));
    expect(replies.map((r) => r.reply['status'])).toEqual(['error', 'aborted', 'aborted']);
    expect((await k.run('kept')).reply['status']).toBe('ok');
    expect(dataOf((await k.run('kept')).out, 'execute_result')).toEqual([{ 'text/plain': '1' }]);
    const two = [k.begin('throw 1', { stop_on_error: false }), k.begin('2')];
    const both = await Promise.all(two.map((id) => k.heard(id)));
    expect(both.map((r) => r.reply['status'])).toEqual(['error', 'ok']);
  });

  test('positions count characters, not UTF-16 units', async () => {
    const code = '"\u{1F600}\u{1F600}"; consol';
    const { reply } = await k.ask('complete_request', { code, cursor_pos: [...code].length });
    expect(reply).toMatchObject({ status: 'ok', cursor_start: 6, cursor_end: 12 });
    expect(reply['matches']).toContain('console');
  });

  test('inspect knows types', async () => {
    const { reply } = await k.ask('inspect_request', {
      code: 'kept',
      cursor_pos: 2,
      detail_level: 0,
    });
    expect(reply).toEqual({
      status: 'ok', found: true, data: { 'text/plain': 'let kept: number' }, metadata: {},
    }); // biome-ignore format: one record
  });

  test('a message that is not signed, or no message at all, changes nothing', async () => {
    await k.shell.send(['<IDS|MSG>', 'f00', '{}', '{}', '{}', '{}']);
    await k.shell.send(['what?']);
    expect((await k.run('1')).reply['status']).toBe('ok');
  });

  test('requests nobody knows do not stop the kernel', async () => {
    await k.shell.send([]).catch(() => {});
    expect((await k.ask('comm_info_request')).reply).toEqual({ status: 'ok', comms: {} });
  });
});

describe('output', () => {
  test('200,000 lines arrive, in order', async () => {
    const { out } = await k.run('for (let i = 0; i < 200_000; i++) console.log("line " + i);');
    const want = Array.from({ length: 200_000 }, (_, i) => `line ${i}\n`).join('');
    const got = streams(out);
    expect(got.length).toBe(1);
    expect(got[0]?.[1] === want).toBe(true);
    expect(types(out).at(-1)).toBe('status');
  });

  test('stdout, stderr, bytes and children keep their order', async () => {
    const { out } = await k.run(
      [
        'import { execSync } from "node:child_process"; import { writeSync } from "node:fs";',
        'console.log("1"); console.error("2"); process.stdout.write(new Uint8Array([0xff, 10]));',
        'execSync("echo 4; echo 5 >&2", { stdio: "inherit" }); console.log("6");',
        'writeSync(1, "7\\n"); await wait(50);',
      ].join('\n'),
    );
    const got = streams(out);
    const stdout = got
      .filter(([n]) => n === 'stdout')
      .map(([, t]) => t)
      .join('');
    expect(stdout).toBe('1\n\ufffd\n4\n6\n7\n');
    expect(
      got
        .filter(([n]) => n === 'stderr')
        .map(([, t]) => t)
        .join(''),
    ).toBe('2\n5\n');
  });

  test('late output belongs to the cell that caused it', async () => {
    const { replyTo } = await k.run(
      'let go = () => {};\nvoid new Promise<void>((r) => { go = r; }).then(() => console.log("late"));',
    );
    await k.run('console.log("second"); go(); await wait(1);');
    const first = (replyTo.parent as { msg_id: string }).msg_id;
    await k.until('late output', () => streams(k.of(first)).length > 0);
    expect(streams(k.of(first))).toEqual([['stdout', 'late\n']]);
  });

  test("display of tslab works as tslab's", async () => {
    const { out } = await k.run(
      "import { display, newDisplay } from 'tslab'; display.html('<b>'); const d = newDisplay(); d.text('1'); d.text('2');",
    );
    const shown = out.filter((m) => m.header.msg_type.includes('display'));
    expect(types(shown)).toEqual(['display_data', 'display_data', 'update_display_data']);
    expect(shown[0]?.content['data']).toEqual({ 'text/html': '<b>' });
    expect(shown[1]?.content['transient']).toEqual(shown[2]?.content['transient']);
  });

  test('hostile names in a table are text', async () => {
    const { out } = await k.run(
      "import { table } from 'arquero';\ntable({ comm: ['</script><img src=x onerror=alert(1)>', '\\x1b[2J', 'x\\r\\nBcc: y'] })",
    );
    const [data] = dataOf(out, 'execute_result');
    for (const bad of ['<img', '</script', '\x1b', '\r'])
      expect(data?.['text/html']).not.toContain(bad);
    for (const bad of ['\x1b', '\r', '\nBcc']) expect(data?.['text/plain']).not.toContain(bad);
    expect(data?.['text/plain']).toContain('\\x1b[2J');
  });
});

describe('interrupt', () => {
  /** Begin a cell whose source prints 'begun', and wait until that has come. */
  const begun = async (source: string): Promise<string> => {
    const id = k.begin(source);
    await k.until('output', () => streams(k.of(id))[0]?.[1].includes('begun'));
    return id;
  };
  const stuck = {
    'a loop': 'console.log("begun"); while (true);',
    'a loop after an await': 'await wait(10); kept++; kept--; console.log("begun"); while (true);',
    'a loop that catches all': 'console.log("begun"); for (;;) { try { for (;;); } catch {} }',
    'a loop in a timer':
      'await new Promise(() => setTimeout(() => { console.log("begun"); for (;;); }, 5));',
    'an await that never ends': 'console.log("begun"); await new Promise(() => {});',
    'endless microtasks': 'console.log("begun"); for (;;) await null;',
    'a child waited for':
      'import { execSync } from "node:child_process"; execSync("echo begun; sleep 600", { stdio: "inherit" });',
  };
  for (const [name, source] of Object.entries(stuck))
    test(`${name}, by message: stopped, variables kept, next cell runs`, async () => {
      const id = await begun(source);
      expect((await k.tell('interrupt_request')).reply).toEqual({ status: 'ok' });
      expect((await k.heard(id)).reply['status']).toBe('error');
      expect(dataOf((await k.run('kept')).out, 'execute_result')).toEqual([{ 'text/plain': '1' }]);
    });

  test('at any moment, the first included', async () => {
    for (const ms of [0, 1, 2, 5, 10, 20, 50]) {
      const id = k.begin('for (;;);');
      await k.until('execute_input', () => types(k.of(id)).includes('execute_input'));
      await new Promise((done) => setTimeout(done, ms));
      await k.tell('interrupt_request');
      expect((await k.heard(id)).reply).toMatchObject({ status: 'error', ename: 'Interrupted' });
    }
    expect(dataOf((await k.run('kept')).out, 'execute_result')).toEqual([{ 'text/plain': '1' }]);
  });

  test('by signal', async () => {
    const id = await begun('await wait(10); console.log("begun"); while (true);');
    k.child.kill('SIGINT');
    expect((await k.heard(id)).reply).toMatchObject({ status: 'error', ename: 'Interrupted' });
    expect(dataOf((await k.run('kept')).out, 'execute_result')).toEqual([{ 'text/plain': '1' }]);
  });

  test('the heart beats while a cell loops', async () => {
    const id = await begun('console.log("begun"); while (true);');
    await k.hb.send('ping');
    expect(String((await k.hb.receive())[0])).toBe('ping');
    await k.tell('interrupt_request');
    await k.heard(id);
  });

  test('with nothing running, nothing happens', async () => {
    await k.tell('interrupt_request');
    expect((await k.run('1')).reply['status']).toBe('ok');
  });
});

describe('end', () => {
  test('process.exit in a cell is an error that says what is lost', async () => {
    const { reply, out } = await k.run('console.log("last words"); process.exit(3);');
    expect(reply).toMatchObject({ status: 'error', ename: 'CellsLost' });
    expect(reply['evalue']).toMatch(/exit code 3.*variables are lost/);
    expect(streams(out)).toEqual([['stdout', 'last words\n']]);
    expect((await k.run('1 + 1')).reply['status']).toBe('ok');
  });

  test('shutdown is answered, then the process ends', async () => {
    const { reply } = await k.tell('shutdown_request', { restart: false });
    expect(reply).toEqual({ status: 'ok', restart: false });
    await k.until('end', () => k.child.exitCode !== null);
    expect(k.child.exitCode).toBe(0);
  });
});

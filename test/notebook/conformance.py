"""What Jupyter's messaging specification asks of a kernel, asked through jupyter_client.

usage: conformance.py KERNEL_JSON_FOLDER   (a folder kernels/NAME/kernel.json, put on JUPYTER_PATH)
Prints one line for each check; exit status 1 if one failed.
"""
import os, sys, time, signal

name = sys.argv[2] if len(sys.argv) > 2 else 'ptlab'
os.environ['JUPYTER_PATH'] = sys.argv[1]
from jupyter_client.manager import KernelManager, start_new_kernel

km, kc = start_new_kernel(kernel_name=name, startup_timeout=120)
failed = []


def check(what, ok, seen=None):
    print(('ok   ' if ok else 'FAIL ') + what + ('' if ok else ': %r' % (seen,)))
    if not ok:
        failed.append(what)


patience = 120  # seconds; a noisy machine is slow, and only a failure waits so long
stash = []  # iopub messages read while looking for others


def answer(mid, get=None):
    """the reply to request mid; those of others are dropped (start_new_kernel asks several times)"""
    while True:
        reply = (get or kc.get_shell_msg)(timeout=patience)
        if reply['parent_header'].get('msg_id') == mid:
            return reply


def run(code, **kw):
    """(reply, iopub messages of this request up to its idle)"""
    mid = kc.execute(code=code, **kw)
    return answer(mid), collect(mid)


def until(mid, last):
    """iopub messages of request mid up to the first that is the last one; others are kept"""
    out = []
    while not (out and last(out[-1])):
        mine = [m for m in stash if m['parent_header'].get('msg_id') == mid]
        m = mine[0] if mine else kc.get_iopub_msg(timeout=patience)
        if mine:
            stash.remove(m)
        if m['parent_header'].get('msg_id') == mid:
            out.append(m)
        else:
            stash.append(m)
    return out


def collect(mid):
    return until(mid, lambda m: m['msg_type'] == 'status' and m['content']['execution_state'] == 'idle')


def types(msgs):
    return [m['msg_type'] for m in msgs]


def ask(mid):
    """(reply, iopub messages); every request is framed by busy and idle"""
    reply, out = answer(mid), collect(mid)
    states = [m['content'].get('execution_state') for m in (out[0], out[-1])]
    if states != ['busy', 'idle']:
        check('busy and idle around ' + reply['msg_type'], False, states)
    return reply, out


def request(channel, kind, content):
    """send any request on a channel's socket; gives its id"""
    msg = kc.session.msg(kind, content)
    channel.send(msg)
    return msg['header']['msg_id']


# kernel_info
r, _ = ask(kc.kernel_info())
c = r['content']
check('kernel_info_reply status', c.get('status') == 'ok', c)
check('protocol version', tuple(map(int, c['protocol_version'].split('.'))) >= (5, 3), c)
li = c['language_info']
check('language typescript', (li['name'], li['file_extension']) == ('typescript', '.ts'), li)
check('language info complete', all(isinstance(li.get(k), str) for k in ('version', 'mimetype')), li)
check('implementation', all(isinstance(c.get(k), str) for k in ('implementation', 'implementation_version', 'banner')), c)

# execute: order of messages, parents
r, msgs = run("console.log('hello, world');")
check('stdout', [m['content'] for m in msgs if m['msg_type'] == 'stream'] == [{'name': 'stdout', 'text': 'hello, world\n'}], msgs)
check('busy first, execute_input second, idle last', types(msgs)[:2] == ['status', 'execute_input'] and types(msgs)[-1] == 'status', types(msgs))
check('execute_input content', msgs[1]['content'] == {'code': "console.log('hello, world');", 'execution_count': r['content']['execution_count']}, msgs[1])
check('reply ok', r['content']['status'] == 'ok' and isinstance(r['content']['payload'], list) and r['content']['user_expressions'] == {}, r['content'])
check('reply header session of kernel', r['header']['session'] != kc.session.session and r['header']['version'].startswith('5.'), r['header'])
_, msgs = run("console.error('oops');")
check('stderr', [m['content'] for m in msgs if m['msg_type'] == 'stream'] == [{'name': 'stderr', 'text': 'oops\n'}], msgs)

# execute_result
for code, text in [('6*7', '42'), ("'a' + 'b'", "'ab'"), ('[1,2].map(x => x * 2)', '[ 2, 4 ]'), ('1;\n2;\n6*6', '36'), ('await Promise.resolve(5)', '5')]:
    r, msgs = run(code)
    res = [m for m in msgs if m['msg_type'] == 'execute_result']
    check('execute_result of ' + repr(code), len(res) == 1 and res[0]['content']['data']['text/plain'] == text and res[0]['content']['execution_count'] == r['content']['execution_count'] and 'metadata' in res[0]['content'], msgs)
_, msgs = run('const silentDecl = 3;')
check('no result of a declaration', 'execute_result' not in types(msgs), types(msgs))
_, msgs = run('undefined')
check('no result of undefined', 'execute_result' not in types(msgs), types(msgs))

# error
r, msgs = run("function thrower() {\n  throw new TypeError('bad thing');\n}\n\nthrower();", stop_on_error=False)
err = [m['content'] for m in msgs if m['msg_type'] == 'error']
check('error message', len(err) == 1 and err[0]['ename'] == 'TypeError' and err[0]['evalue'] == 'bad thing' and isinstance(err[0]['traceback'], list), msgs)
check('error reply', r['content']['status'] == 'error' and r['content']['ename'] == 'TypeError' and r['content']['traceback'] == err[0]['traceback'] and 'execution_count' in r['content'], r['content'])
tb = '\n'.join(err[0]['traceback'])
check('traceback in cell lines', 'line 2' in tb and 'line 5' in tb, tb)
check('no stream with the error', 'stream' not in types(msgs), types(msgs))
for code in ['throw new Error()', 'let x: number = "a"', 'nonexistent + 1', '(', 'throw 3', 'await Promise.reject(new Error("r"))']:
    r, msgs = run(code, stop_on_error=False)
    check('error of ' + repr(code), r['content']['status'] == 'error' and types(msgs).count('error') == 1, (r['content'], types(msgs)))

# execution count, silent, store_history
n0 = run('1')[0]['content']['execution_count']
n1 = run('1')[0]['content']['execution_count']
check('count rises by one', n1 == n0 + 1, (n0, n1))
r, msgs = run("console.log('x'); 1 + 1", silent=True)
check('silent: only status', set(types(msgs)) == {'status'}, types(msgs))
n2 = run('1')[0]['content']['execution_count']
check('silent does not count', n2 == n1 + 1, (n1, n2))
r, msgs = run('throw new Error("q")', silent=True, stop_on_error=False)
check('silent error: reply only', set(types(msgs)) == {'status'} and r['content']['status'] == 'error', types(msgs))
run('77777', store_history=False)
n3 = run('1')[0]['content']['execution_count']
check('store_history false does not count', n3 == n2 + 1, (n2, n3))

# user_expressions
r, _ = run('let ue = 20', user_expressions={'a': 'ue + 1', 'b': 'notthere'})
ue = r['content']['user_expressions']
check('user_expressions', ue['a']['status'] == 'ok' and ue['a']['data']['text/plain'] == '21' and ue['b']['status'] == 'error' and 'ename' in ue['b'], ue)

# is_complete
for kind, codes in {
    'complete': ['1+1', 'console.log("hi")', 'function f() { return 1 }', 'const a = `x\ny`', '', 'let x: number = "a"', 'if (1) { 2 }', '// c', 'class A {}', 'await 3', 'const f = (a: number) => a'],
    'incomplete': ['function f() {', 'if (true) {', 'console.log(', '[1, 2,', '({a: 1', 'const a = `x', '/* c', 'class A {\n  b() {', 'let x =', 'foo(1,', 'const f = (a) =>', 'if (x)'],
    'invalid': ['import = 7q', ')', 'let 3x = 4', "const s = 'abc", 'function ( {} }', 'for (;;;;) {}', 'a b c', '}', 'let let let', 'if (true) }'],
}.items():
    for code in codes:
        r, _ = ask(kc.is_complete(code))
        check('is_complete %s %r' % (kind, code), r['content']['status'] == kind and (kind != 'incomplete' or isinstance(r['content'].get('indent'), str)), r['content'])

# complete
run('const zebraCrossing = 5; const holder = {alpha: 1, beta: "x"};')
for code, pos, want in [('zebraC', None, 'zebraCrossing'), ('console.lo', None, 'log'), ('holder.', None, 'alpha'), ('holder.al + 1', 9, 'alpha'), ('"😀"; zebraC', None, 'zebraCrossing')]:
    p = len(code) if pos is None else pos
    r, _ = ask(kc.complete(code, p))
    c = r['content']
    ok = c['status'] == 'ok' and want in c['matches'] and isinstance(c['metadata'], dict) and c['cursor_start'] <= p <= c['cursor_end'] and want.startswith(code[c['cursor_start']:p])
    check('complete %r' % code, ok, (c['cursor_start'], c['cursor_end'], c['matches'][:5]))

# inspect
r, _ = ask(kc.inspect('zebraCrossing', 3))
check('inspect found', r['content']['status'] == 'ok' and r['content']['found'] and 'zebraCrossing' in r['content']['data']['text/plain'], r['content'])
r, _ = ask(kc.inspect('   ', 1))
check('inspect not found', r['content']['status'] == 'ok' and r['content']['found'] is False and r['content']['data'] == {}, r['content'])

# history
for kw, ok in [
    (dict(hist_access_type='tail', n=3), lambda h: len(h) == 3 and h[-1][2].startswith('const zebra')),
    (dict(hist_access_type='range', session=0, start=1, stop=3), lambda h: [x[1] for x in h] == [1, 2]),
    (dict(hist_access_type='search', pattern='*zebra*', n=10), lambda h: len(h) == 1),
    (dict(hist_access_type='search', pattern='1', n=10, unique=True), lambda h: len(h) == 1),
    (dict(hist_access_type='search', pattern='?', n=2), lambda h: len(h) == 2),
    (dict(hist_access_type='tail', n=50, output=True), lambda h: ['6*7', '42'] in [list(x[2]) for x in h]),
    (dict(hist_access_type='tail', n=50), lambda h: not any('77777' in x[2] for x in h)),
]:
    r, _ = ask(kc.history(raw=True, **{'output': False, **kw}))
    check('history %r' % kw, r['content']['status'] == 'ok' and ok(r['content']['history']), r['content'])

# comm_info, unknown comm
r, _ = ask(kc.comm_info())
check('comm_info', r['content'] == {'status': 'ok', 'comms': {}}, r['content'])
m = kc.session.msg('comm_open', {'comm_id': 'c1', 'target_name': 'none', 'data': {}})
kc.shell_channel.send(m)
check('comm_open of an unknown target is closed', 'comm_close' in types(collect(m['header']['msg_id'])))

# display
r, msgs = run("import {display, newDisplay} from 'tslab';\ndisplay.html('<b>x</b>'); display.raw('image/svg+xml', '<svg/>'); const nd = newDisplay(); nd.text('1'); nd.text('2');")
shown = [(m['msg_type'], m['content']['data']) for m in msgs if 'display' in m['msg_type']]
check('display of tslab', shown == [('display_data', {'text/html': '<b>x</b>'}), ('display_data', {'image/svg+xml': '<svg/>'}), ('display_data', {'text/plain': '1'}), ('update_display_data', {'text/plain': '2'})], shown)
r, msgs = run("import * as pt from 'ptlab';\nconst dd = await pt.newDisplay([1]); await dd.update([2]);")
shown = [m for m in msgs if 'display' in m['msg_type']]
check('display and update of ptlab', types(shown) == ['display_data', 'update_display_data'] and shown[0]['content']['transient'] == shown[1]['content']['transient'], msgs)
r, msgs = run("({$schema: 'https://vega.github.io/schema/vega-lite/v6.json', data: {values: [{a: 1}, {a: 2}]}, mark: 'bar', encoding: {x: {field: 'a', type: 'ordinal'}, y: {aggregate: 'count'}}})")
res = [m['content']['data'] for m in msgs if m['msg_type'] == 'execute_result']
check('chart: four forms', res and set(res[0]) == {'text/plain', 'image/svg+xml', 'image/png', 'application/vnd.vegalite.v6+json'}, types(msgs))
r, msgs = run("import * as aq from 'arquero';\naq.table({comm: ['</script><img src=x onerror=alert(1)>', 'a\\x1b[31m', 'b\\r\\nBcc: x'], n: [1, 2, 3]})")
res = [m['content']['data'] for m in msgs if m['msg_type'] == 'execute_result']
check('arquero table: html and text', bool(res) and set(res[0]) == {'text/plain', 'text/html'} and '<img' not in res[0]['text/html'] and '\x1b' not in res[0]['text/html'] + res[0]['text/plain'] and 'Bcc' in res[0]['text/plain'] and '\nBcc' not in res[0]['text/plain'], (r['content'], res))
r, msgs = run("import type {TopLevelSpec} from 'vega-lite';\nimport {compile} from 'vega-lite';\nconst sp: TopLevelSpec = {data: {values: []}, mark: 'bar'};\nconst bad: TopLevelSpec = {data: {values: []}, mark: 5};", stop_on_error=False)
check('vega-lite has types', r['content']['status'] == 'error' and r['content']['ename'] == 'CompileError', r['content'])

# streams: order, volume, children, late output
r, msgs = run("import cp from 'node:child_process';\nconsole.log('a'); console.error('b'); console.log('c'); process.stdout.write(Buffer.from([0xff, 0x41, 10])); cp.execSync('echo child', {stdio: 'inherit'}); console.log('after'); cp.spawnSync('sh', ['-c', 'echo err >&2'], {stdio: 'inherit'}); console.log('end');")
s = [(m['content']['name'], m['content']['text']) for m in msgs if m['msg_type'] == 'stream']
joined = []
for n_, t in s:
    if joined and joined[-1][0] == n_:
        joined[-1][1] += t
    else:
        joined.append([n_, t])
check('streams in order, children too', joined == [['stdout', 'a\n'], ['stderr', 'b\n'], ['stdout', 'c\n\ufffdA\nchild\nafter\n'], ['stderr', 'err\n'], ['stdout', 'end\n']], joined)
t = time.time()
r, msgs = run("for (let i = 0; i < 200000; i++) console.log('line ' + i);")
text = ''.join(m['content']['text'] for m in msgs if m['msg_type'] == 'stream')
check('200,000 lines, none lost, in order', text == ''.join('line %d\n' % i for i in range(200000)), len(text))
print('     200,000 lines took %.2f s in %d messages' % (time.time() - t, len(msgs)))
r, msgs = run("setTimeout(() => console.log('late'), 300); await cp.spawn('sh', ['-c', 'sleep 0.6; echo grandchild'], {stdio: 'inherit'}).ref(); 1")
late = r['parent_header']['msg_id']
run('2')
seen = until(late, lambda m: m['msg_type'] == 'stream' and 'late' in m['content']['text'])
check('late output belongs to its cell', True, seen)

# stop_on_error aborts what waits
a = kc.execute('await new Promise((r) => setTimeout(r, 1000)); throw new Error("first")')
b = kc.execute('console.log("never")')
d = kc.kernel_info()
e = kc.execute('console.log("never")')
replies = {}
for x in (a, b, d, e):
    replies[x] = answer(x)
check('stop_on_error aborts', [replies[x]['content']['status'] for x in (a, b, d, e)] == ['error', 'aborted', 'ok', 'aborted'], replies)
m_b = collect(b)
check('an aborted request has busy and idle only', types(m_b) == ['status', 'status'], types(m_b))
a = kc.execute('throw new Error("first")', stop_on_error=False)
b = kc.execute('console.log("runs")')
st = [answer(x)['content']['status'] for x in (a, b)]
check('stop_on_error false goes on', st == ['error', 'ok'], st)

# heartbeat while a cell runs; interrupt by message and by signal
run('let kept = 41')
for how in ('message', 'signal'):
    for code in ('console.log("begun"); while (true) {}', 'await new Promise((r) => setTimeout(r, 50)); console.log("begun"); while (true) {}', 'console.log("begun"); await new Promise(() => {})'):
        mid = kc.execute(code)
        until(mid, lambda m: m['msg_type'] == 'stream')
        kc.hb_channel.unpause()
        if how == 'message':
            asked = request(kc.control_channel, 'interrupt_request', {})
            rep = answer(asked, kc.get_control_msg)
            framed = [m['content'].get('execution_state') for m in collect(asked)]
            check('busy and idle around interrupt_request', framed == ['busy', 'idle'], framed)
            okmsg = rep['msg_type'] == 'interrupt_reply' and rep['content'] == {'status': 'ok'}
        else:
            os.kill(km.provisioner.pid, signal.SIGINT)
            okmsg = True
        t = time.time()
        r = answer(mid)
        dt = time.time() - t
        nxt = run('kept += 1')[0]['content']['status']
        check('interrupt by %s of %r (%.2f s), next cell works' % (how, code, dt), okmsg and r['content']['status'] == 'error' and nxt == 'ok', (r['content'], nxt))
_, msgs = run('kept')
check('variables survive interrupts', [m['content']['data']['text/plain'] for m in msgs if m['msg_type'] == 'execute_result'] == ['47'], msgs)

# a cell that ends its process
r, msgs = run('console.log("bye"); process.exit(3)', stop_on_error=False)
check('process.exit is an error, output before it is kept', r['content']['status'] == 'error' and 'exit code 3' in r['content']['evalue'] and any(m['msg_type'] == 'stream' for m in msgs), r['content'])
check('and the next cell runs', run('1 + 1')[0]['content']['status'] == 'ok')

# a reader that only reads at the end
mid = kc.execute("for (let i = 0; i < 200000; i++) console.log('row ' + i);")
check('reply comes though nobody reads iopub', answer(mid)['content']['status'] == 'ok')
text = ''.join(m['content']['text'] for m in collect(mid) if m['msg_type'] == 'stream')
check('and nothing was lost', text == ''.join('row %d\n' % i for i in range(200000)), len(text))

# requests on the control channel, and some that no front end sends
mid = request(kc.control_channel, 'kernel_info_request', {})
r = answer(mid, kc.get_control_msg)
check('kernel_info on control', r['content']['status'] == 'ok' and types(collect(mid)) == ['status', 'status'], r)
r, msgs = run("import {clearOutput} from 'ptlab';\nconsole.log('old'); clearOutput(true); clearOutput(); console.log('new');")
cleared = [m['content'] for m in msgs if m['msg_type'] == 'clear_output']
check('clear_output', cleared == [{'wait': True}, {'wait': False}] and types(msgs)[2] == 'stream', types(msgs))
for kind, content in [
    ('execute_request', {}),
    ('execute_request', {'code': 5, 'user_expressions': 7, 'silent': 'x'}),
    ('execute_request', {'code': '1', 'user_expressions': {'a': 5, 'b': None}}),
    ('execute_request', {'code': '1', 'store_history': None, 'allow_stdin': True, 'stop_on_error': False}),
    ('complete_request', {'code': 'cons', 'cursor_pos': -3}),
    ('complete_request', {'code': 'cons', 'cursor_pos': 1e9}),
    ('complete_request', {'code': None, 'cursor_pos': 'x'}),
    ('inspect_request', {'code': 'console', 'cursor_pos': 99999, 'detail_level': 1}),
    ('inspect_request', {}),
    ('is_complete_request', {}),
    ('is_complete_request', {'code': ['a']}),
    ('history_request', {}),
    ('history_request', {'hist_access_type': 'tail', 'n': -1}),
    ('history_request', {'hist_access_type': 'range', 'session': 'a', 'start': 'b', 'stop': None}),
    ('history_request', {'hist_access_type': 'search', 'pattern': '[(*', 'n': 5}),
    ('history_request', {'hist_access_type': 'what'}),
    ('comm_info_request', {'target_name': 7}),
]:
    mid = request(kc.shell_channel, kind, content)
    r, out = ask(mid)
    check('%s %r is answered' % (kind, content), r['msg_type'] == kind.replace('request', 'reply') and r['content']['status'] in ('ok', 'error', 'complete', 'invalid', 'unknown', 'incomplete'), r['content'])
mid = request(kc.shell_channel, 'no_such_request', {})
check('an unknown request: busy and idle', types(collect(mid)) == ['status', 'status'])

# refused messages leave the kernel alive
def raw(parts):
    """signed, with any four parts"""
    return [b'<IDS|MSG>', kc.session.sign(parts)] + parts
head = b'{"msg_id": "m", "msg_type": "execute_request", "session": "s", "username": "u", "date": "", "version": "5.3"}'
for frames in [
    [b'<IDS|MSG>', b'0' * 64, b'{}', b'{}', b'{}', b'{}'],
    [b'garbage'],
    [b''],
    [b'<IDS|MSG>'],
    [b'<IDS|MSG>', b'short', head],
    raw([b'not json', b'{}', b'{}', b'{}']),
    raw([b'null', b'null', b'null', b'null']),
    raw([b'[]', b'{}', b'{}', b'{}']),
    raw([b'{"msg_id": 5, "msg_type": 6}', b'{}', b'{}', b'{}']),
    raw([head, b'null', b'null', b'null']),
    raw([head, b'[]', b'7', b'"text"']),
    raw([head.replace(b'"m"', b'"\xff"'), b'{}', b'{}', b'{}']),
    raw([head.replace(b'execute', b'__proto__'), b'{}', b'{}', b'{}']),
    raw([head.replace(b'execute_request', b'constructor'), b'{}', b'{}', b'{}']),
]:
    for channel in (kc.shell_channel, kc.control_channel, kc.stdin_channel):
        channel.socket.send_multipart(frames)
r, msgs = run('1 + 1')
check('alive after messages that are none', r['content']['status'] == 'ok', r)

# shutdown with restart flag
for restart in (True, False):
    mid = request(kc.control_channel, 'shutdown_request', {'restart': restart})
    rep = answer(mid, kc.get_control_msg)
    check('shutdown_reply', rep['msg_type'] == 'shutdown_reply' and rep['content'] == {'status': 'ok', 'restart': restart}, rep)
    end = time.time() + patience
    while km.is_alive() and time.time() < end:
        time.sleep(0.1)
    check('kernel has ended', not km.is_alive())
    if restart:
        km.restart_kernel(now=True)
        kc.wait_for_ready(timeout=patience)
        check('restarted kernel works', run('40 + 2')[0]['content']['execution_count'] == 1)
km.restart_kernel(now=False)
kc.wait_for_ready(timeout=patience)
km.restart_kernel(now=False)
kc.wait_for_ready(timeout=patience)
check('a kernel restarted in the usual way works', run('40 + 2')[0]['content']['execution_count'] == 1)
kc.stop_channels()
km.shutdown_kernel(now=True)

# other connections: files for sockets, and no key
for what in ('ipc', 'no key'):
    km = KernelManager(kernel_name=name, **({'transport': 'ipc'} if what == 'ipc' else {}))
    if what == 'no key':
        km.session.key = b''
    km.start_kernel()
    kc = km.client()
    if what == 'no key':
        kc.session.key = b''
    kc.start_channels()
    kc.wait_for_ready(timeout=patience)
    stash.clear()
    r, msgs = run('console.log("over"); 6 * 7')
    check('a kernel over ' + what, r['content']['status'] == 'ok' and types(msgs) == ['status', 'execute_input', 'stream', 'execute_result', 'status'], (r['content'], types(msgs)))
    kc.stop_channels()
    km.shutdown_kernel()
    check('ends on shutdown over ' + what, not km.is_alive())
print('%d failed' % len(failed))
sys.exit(1 if failed else 0)

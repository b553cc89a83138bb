"""The steps of Jupyter's kernel conformance suite (jupyter_kernel_test), on samples in TypeScript,
and what two clients at once see of each other.

usage: suite.py KERNEL_JSON_FOLDER [KERNEL_NAME]
Prints one line for each check; exit status 1 if one failed.
"""
import os, re, sys
from queue import Empty

os.environ['JUPYTER_PATH'] = sys.argv[1]
from jupyter_client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

km, kc = start_new_kernel(kernel_name=sys.argv[2] if len(sys.argv) > 2 else 'ptlab', startup_timeout=120)
kc2 = BlockingKernelClient(connection_file=km.connection_file)  # a session of its own
kc2.load_connection_file()
kc2.start_channels()
kc2.wait_for_ready(timeout=120)
patience = 60
failed = []


def check(what, ok, seen=None):
    print(('ok   ' if ok else 'FAIL ') + what + ('' if ok else ': %r' % (seen,)))
    if not ok:
        failed.append(what)


def flush(client=kc):
    for get in (client.get_shell_msg, client.get_iopub_msg):
        try:
            while True:
                get(timeout=0.05)
        except Empty:
            pass


bundle = lambda v: isinstance(v, dict) and all(re.fullmatch(r'[\w.+-]+/[\w.+-]+', k) for k in v)
error = {'ename': str, 'evalue': str, 'traceback': lambda v: isinstance(v, list) and all(isinstance(t, str) for t in v)}
number = lambda v: type(v) is int
shapes = {
    'status': {'execution_state': lambda v: v in ('busy', 'idle', 'starting')},
    'stream': {'name': lambda v: v in ('stdout', 'stderr'), 'text': str},
    'display_data': {'data': bundle, 'metadata': dict},
    'update_display_data': {'data': bundle, 'metadata': dict, 'transient': lambda v: isinstance(v['display_id'], str)},
    'execute_input': {'code': str, 'execution_count': number},
    'execute_result': {'data': bundle, 'metadata': dict, 'execution_count': number},
    'error': error,
    'clear_output': {'wait': bool},
    'execute_reply': {'status': str, 'execution_count': number},
    'complete_reply': {'status': str, 'matches': list, 'cursor_start': number, 'cursor_end': number, 'metadata': dict},
    'inspect_reply': {'status': str, 'found': bool, 'data': bundle, 'metadata': dict},
    'is_complete_reply': {'status': lambda v: v in ('complete', 'incomplete', 'invalid', 'unknown')},
    'history_reply': {'status': str, 'history': lambda v: all(len(h) == 3 for h in v)},
    'kernel_info_reply': {'status': str, 'protocol_version': str, 'implementation': str, 'implementation_version': str, 'language_info': dict, 'banner': str},
}


def valid(m, mid):
    """message m has the shape of its kind and answers request mid"""
    c, head = m['content'], m['header']
    if m['msg_type'] == 'execute_reply' and c['status'] == 'ok':
        want = {**shapes['execute_reply'], 'payload': list, 'user_expressions': dict}
    elif m['msg_type'] == 'execute_reply':
        want = {**shapes['execute_reply'], **error}
    else:
        want = shapes[m['msg_type']]
    wrong = [k for k, t in want.items() if k not in c or not (isinstance(c[k], t) if isinstance(t, type) else t(c[k]))]
    wrong += [k for k in ('msg_id', 'msg_type', 'session', 'username', 'version') if not isinstance(head.get(k), str)]
    if wrong or m['parent_header'].get('msg_id') != mid:
        check('the shape of ' + m['msg_type'], False, (wrong, m))


def reply_of(mid, client=kc):
    r = client.get_shell_msg(timeout=patience)
    valid(r, mid)
    return r


def execute(code, client=kc, **kw):
    """as the suite does it: the reply first, then busy at once, execute_input, outputs, idle"""
    flush(client)
    mid = client.execute(code=code, **kw)
    r = reply_of(mid, client)
    first = client.get_iopub_msg(timeout=5)
    valid(first, mid)
    check('busy comes first', first['msg_type'] == 'status' and first['content']['execution_state'] == 'busy', first)
    out, inputs = [], []
    while True:
        m = client.get_iopub_msg(timeout=5)
        valid(m, mid)
        if m['msg_type'] == 'status':
            check('nothing but idle ends it', m['content']['execution_state'] == 'idle', m)
            break
        (inputs if m['msg_type'] == 'execute_input' else out).append(m)
    if not kw.get('silent'):
        check('execute_input has the code', [m['content']['code'] for m in inputs] == [code], inputs)
    return r, out


def ask(mid):
    return reply_of(mid)['content']


kinds = lambda out: [m['msg_type'] for m in out]
flush()
info = ask(kc.kernel_info())['language_info']
check('test_kernel_info', (info['name'], info['file_extension']) == ('typescript', '.ts') and isinstance(info['mimetype'], str), info)
r, out = execute("console.log('hello, world')")
check('test_execute_stdout', r['content']['status'] == 'ok' and [m['content'] for m in out] == [{'name': 'stdout', 'text': 'hello, world\n'}], out)
r, out = execute("console.error('oops')")
check('test_execute_stderr', [m['content']['name'] for m in out] == ['stderr'], out)
for code in ("throw new Error('no')", 'nothing_there', 'let n: number = "x"', 'JSON.parse("{")'):
    r, out = execute(code, stop_on_error=False)
    check('test_error ' + code, r['content']['status'] == 'error' and kinds(out) == ['error'] and out[0]['content']['traceback'] == r['content']['traceback'] != [], out)
samples = [('6 * 7', '42'), ("'x'.repeat(3)", "'xxx'"), ('[1, 2, 3]', '[ 1, 2, 3 ]'), ('({ a: 1 })', '{ a: 1 }'), ('6 * 7', '42'), ('await Promise.resolve(0)', '0'), ('true', 'true')]
for code, text in samples:
    r, out = execute(code)
    check('test_execute_result ' + code, kinds(out) == ['execute_result'] and out[0]['content']['data']['text/plain'] == text, out)
for code, mime in [("import { display } from 'tslab'; display.html('<b>x</b>')", 'text/html'), ("import { display as show } from 'ptlab'; await show({ a: 1 })", 'text/plain')]:
    r, out = execute(code)
    check('test_display_data ' + mime, kinds(out) == ['display_data'] and mime in out[0]['content']['data'], out)
r, out = execute("import { clearOutput } from 'ptlab'; clearOutput()")
check('test_clear_output', kinds(out) == ['clear_output'], out)

execute('const zebra = { alpha: 1, alto: 2 }; function stripes(n: number): string { return "|".repeat(n) }')
flush()
for code, want in [('zeb', {'zebra'}), ('console.lo', {'log'}), ('zebra.al', {'alpha', 'alto'}), ('Math.ab', {'abs'}), ('no_such_th', set())]:
    c = ask(kc.complete(code))
    check('test_completion ' + code, c['status'] == 'ok' and set(c['matches']) == want, c)
for kind, codes in {
    'complete': ['1', "console.log('x')", 'function f() {\n  return 1\n}', 'zebra?'],
    'incomplete': ['function f() {', 'console.log(', '`open', 'if (zebra) {\n  1'],
    'invalid': ['let 3x', 'import = 7q', ')'],
}.items():
    for code in codes:
        check('test_is_complete %r' % code, ask(kc.is_complete(code))['status'] == kind)
for code, want in [('zebra', 'alpha'), ('stripes', 'n: number'), ('stripes(', 'n: number'), ('"é😀".length; zebra.alto', 'alto'), ('nothing_there', None), ('', None)]:
    c = ask(kc.inspect(code))
    check('test_inspect %r' % code, c['found'] == (want is not None) and (want or '') in str(c['data']), c)
for code in ('stripes?', '?stripes', 'stripes??'):
    r, out = execute(code)
    pages = r['content']['payload']
    check('test_pager ' + code, len(pages) == 1 and pages[0]['source'] == 'page' and 'n: number' in pages[0]['data']['text/plain'] and out == [], (r, out))

before = len(ask(kc.history(hist_access_type='tail', n=10_000))['history'])
for code, _ in samples:
    execute(code)
execute('"not kept"', store_history=False)
execute('"not kept"', silent=True)
flush()
tail = lambda **kw: ask(kc.history(raw=True, hist_access_type='tail', **kw))['history']
seen = tail(n=len(samples), output=True)
check('test_history tail with output', [list(h[2]) for h in seen] == [list(s) for s in samples], seen)
check('test_history tail', [h[2] for h in tail(n=len(samples), output=False)] == [s[0] for s in samples])
check('test_history tail of more than there is', len(tail(n=10_000)) == before + len(samples))
session, start = seen[0][:2]
span = lambda **kw: [h[2] for h in ask(kc.history(raw=True, hist_access_type='range', **kw))['history']]
check('test_history range', span(session=session, start=start, stop=start + 1) == [samples[0][0]])
check('test_history range with output', [list(x) for x in span(session=session, start=start, stop=start + 2, output=True)] == [list(s) for s in samples[:2]])
check('test_history range from the end', span(session=0, start=-2, stop=0) == [s[0] for s in samples[-2:]], span(session=0, start=-2, stop=0))
check('test_history range of a session that is gone', span(session=-1, start=1, stop=5) == [])
find = lambda pattern, **kw: [h[2] for h in ask(kc.history(raw=True, hist_access_type='search', pattern=pattern, **kw))['history']]
check('test_history search', len(find('6*', n=9)) == 4 and len(find('6*', n=3)) == 3, find('6*', n=9))
check('test_history search, unique', find('6 ? 7', n=9, unique=True) == ['6 * 7'])
check('test_history search with output', [list(x) for x in find('tru?', n=9, output=True)][-1] == ['true', 'true'])
check('test_history search of nothing', find('*never run*', n=9) == [])

# messages a kernel of this kind has no answer to are framed by busy and idle, no more
for channel, kind in [('control', 'debug_request'), ('control', 'create_subshell_request'), ('shell', 'comm_msg'), ('shell', 'no_such_request')]:
    flush()
    m = kc.session.msg(kind, {'comm_id': 'x', 'data': {}})
    sock = getattr(kc, channel + '_channel').socket
    kc.session.send(sock, m, buffers=[b'\x00\xff', b'more'])
    states = [kc.get_iopub_msg(timeout=patience) for _ in range(2)]
    check('%s: busy and idle' % kind, [s['content'].get('execution_state') for s in states] == ['busy', 'idle'] and all(s['parent_header']['msg_id'] == m['header']['msg_id'] for s in states), states)

# two clients, whose requests come in any order: each gets its own replies, both see everything, and displays can be updated by the other
flush(), flush(kc2)
a, b = kc.execute("console.log('from a'); const shared = 5"), kc2.execute("console.log('from b'); 3 + 3")
ra, rb = reply_of(a), reply_of(b, kc2)
check('replies go to who asked', [x['parent_header']['msg_id'] for x in (ra, rb)] == [a, b])
for client in (kc, kc2):
    texts, idles = [], 0
    while idles < 2:
        m = client.get_iopub_msg(timeout=patience)
        idles += m['content'].get('execution_state') == 'idle'
        if m['msg_type'] in ('stream', 'execute_result'):
            texts.append((m['parent_header']['msg_id'], m['content'].get('text') or m['content']['data']['text/plain']))
    check('every client sees all output, under its parent', sorted(texts) == sorted([(a, 'from a\n'), (b, 'from b\n'), (b, '6')]), texts)
_, out = execute("import { newDisplay } from 'ptlab'; const shown = await newDisplay('old')")
shown_id = out[0]['content']['transient']['display_id']
_, out = execute("await shown.update('new')", client=kc2)
check('an update in a later cell', kinds(out) == ['update_display_data'] and out[0]['content']['transient']['display_id'] == shown_id, out)

# an interrupt with nothing to interrupt harms nothing
flush()
m = kc.session.msg('interrupt_request', {})
kc.control_channel.send(m)
check('interrupt of an idle kernel', kc.get_control_msg(timeout=patience)['content']['status'] == 'ok' and execute('shared')[0]['content']['status'] == 'ok')
check('the heart beats', kc.hb_channel.is_beating())
kc2.stop_channels()
kc.shutdown()
check('ends when asked to', km.provisioner is None or km.finish_shutdown() is None and not km.is_alive())
kc.stop_channels()
print('%d failed' % len(failed))
sys.exit(1 if failed else 0)

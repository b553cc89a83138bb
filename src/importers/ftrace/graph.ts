import { type Log, setDict, setF64, setInt, setText, setU64 } from '../../events/log.js';
import { columnsOf, type GraphLine } from './graph-line.js';
import { matcherOf, putPayload } from './payload.js';

/** Functions entered and not left, by CPU, so that a bare '}' has a name. */
export interface GraphState {
  readonly open: Map<number, string[]>;
  /** Task on each CPU, from the lines that tell of a switch. */
  readonly running: Map<number, { task: string; pid: number }>;
  /** Lines that stand for two entries of the ring buffer. */
  leaves: number;
  /** Lines without a stamp (recorded without funcgraph-abstime). */
  undated: number;
}

export const newGraphState = (): GraphState => ({
  open: new Map(),
  running: new Map(),
  leaves: 0,
  undated: 0,
});

const maxDepth = 256;

/** ' 1)  sh-56  =>  ldmod-66': the task that runs on a CPU from now on. */
export function readSwitch(state: GraphState, text: string): boolean {
  const m = /^\s*(\d{1,5})\)\s+(.*\S)-(\d+)\s+=>\s+(.*\S)-(\d+)\s*$/.exec(text);
  if (!m) return false;
  state.running.set(Number(m[1]), { task: m[4]!, pid: Number(m[5]) });
  return true;
}

/** What a body says. */
interface Body {
  readonly event: string;
  readonly at?: string;
  readonly detail: string[];
  readonly ret?: bigint;
  /** Text of an event among the calls. */
  readonly payload?: string;
}

const signed = (text: string): bigint =>
  text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);

const returned = /(?:^|\s)(?:=\s*|ret(?:val)?=\s*)(-?(?:0x[0-9a-f]{1,16}|\d{1,19}))(?=\s|$)/;

/** '= 0xffff', 'func <-caller ret=0x0', 'func': what a comment behind a call says, and what is left of it. */
function comment(text: string): { name?: string; ret?: bigint; rest: string[] } {
  const ret = returned.exec(text);
  const other = ret ? text.replace(ret[0], '') : text;
  const name = /^([A-Za-z_][\w.$]*(?: \[[^\]]*\])?)(?=\s|$)/.exec(other);
  const rest = other.slice(name?.[0].length ?? 0).trim();
  return {
    ...(name ? { name: name[1]! } : {}),
    ...(ret ? { ret: signed(ret[1]!) } : {}),
    rest: rest === '' ? [] : [`/* ${rest} */`],
  };
}

const call =
  /^([A-Za-z_][\w.$]*(?:\s*\[[^\]]*\])?)\((.*?)\)\s*(;|\{)?\s*(?:\/\*\s*(.*?)\s*\*\/)?\s*$/;

function callBody(m: RegExpExecArray, stack: string[], depth: string): Body {
  const [, name, args, end, about] = m as unknown as [string, string, string, string?, string?];
  const { ret, rest, name: word } = comment(about ?? '');
  const said = word === undefined ? rest : [`/* ${about} */`];
  const detail = [depth, ...(args === '' ? [] : [`args=(${args})`]), ...said];
  if (end === '{') {
    if (stack.length < maxDepth) stack.push(name);
    return { event: 'funcgraph_entry', at: name, detail };
  }
  return { event: 'funcgraph_leaf', at: name, detail, ...(ret === undefined ? {} : { ret }) };
}

function closeBody(about: string, opened: string | undefined, depth: string): Body {
  const { name, ret, rest } = comment(about);
  const at = name ?? opened;
  return {
    event: 'funcgraph_exit',
    detail: [depth, ...rest],
    ...(at === undefined ? {} : { at }),
    ...(ret === undefined ? {} : { ret }),
  };
}

function bodyOf(text: string, stack: string[]): Body | null {
  const body = text.trim();
  const blanks = text.length - text.trimStart().length; // one or two stand before the first level
  const depth = `depth=${Math.max(0, Math.floor((blanks - 1) / 2))}`;
  if (/^=+>$/.test(body)) return { event: 'funcgraph_irq_entry', detail: [] };
  if (/^<=+$/.test(body)) return { event: 'funcgraph_irq_exit', detail: [] };
  const m = call.exec(body);
  if (m) return callBody(m, stack, depth);
  const close = /^\}\s*(?:\/\*\s*(.*?)\s*\*\/)?$/.exec(body);
  if (close) return closeBody(close[1] ?? '', stack.pop(), depth);
  const note = /^\/\*\s?(.*?)\s*\*\/$/.exec(body);
  if (!note) return null;
  const named = /^([A-Za-z_]\w*): (.*)$/.exec(note[1]!);
  return named
    ? { event: named[1]!, payload: named[2]!, detail: [] }
    : { event: 'print', detail: [note[1]!] };
}

/** Fill the columns of the current row from a body. */
function putBody(log: Log, b: Body, duration: number | undefined): void {
  if (b.at !== undefined) setDict(log, 'at', b.at);
  if (b.ret !== undefined) {
    const v = BigInt.asUintN(64, b.ret);
    setU64(log, 'ret', Number(v >> 32n), Number(v & 0xffffffffn));
  }
  if (duration !== undefined) setF64(log, 'duration_ns', duration);
  if (b.detail.length > 0) setText(log, 'detail', b.detail.join(' '));
  if (b.payload === undefined) return;
  const bytes = Buffer.from(b.payload, 'utf8');
  putPayload(log, matcherOf(b.event), bytes, 0, bytes.length);
}

/**
 * Append a line of the function_graph tracer; `add` appends the row with its stamp. False if the body is not
 * understood.
 */
export function addGraphLine(
  log: Log,
  state: GraphState,
  line: GraphLine,
  add: (line: GraphLine, event: string) => void,
): boolean {
  const cpu = line.cpu ?? 0;
  const stack = state.open.get(cpu) ?? [];
  state.open.set(cpu, stack);
  const body = bodyOf(line.body, stack);
  if (!body) return false;
  add(line, body.event);
  if (line.seconds === undefined && line.relative_us === undefined) state.undated++;
  if (body.event === 'funcgraph_leaf') state.leaves++;
  const { task, pid } = line.pid === undefined ? (state.running.get(cpu) ?? {}) : line;
  if (line.cpu !== undefined) setInt(log, 'cpu', line.cpu);
  if (pid !== undefined && pid <= 0x7fffffff) setInt(log, 'pid', pid);
  if (task !== undefined) setDict(log, 'task', task);
  if (line.flags !== undefined) setDict(log, 'flags', line.flags);
  putBody(log, body, line.duration_ns);
  return true;
}

/** '--> func (1)', '<-- func (1) (start: 8d3634d0  end: 8d3928b0) over: 1', of trace-cmd report -N and perf script. */
const arrow =
  /^\s*(?:-->|<--) (\S.*?) \((\d+)\)(?: \(start: ([0-9a-f]{1,16}) +end: ([0-9a-f]{1,16})\))?/;
/** 'func=f depth=1 … calltime=8d3634d0 rettime=8d3928b0', of trace-cmd report -R: hexadecimal, too. */
const fields =
  /^\s*func=(\S+) depth=(\d+)(?:.*? calltime=([0-9a-f]{1,16}) rettime=([0-9a-f]{1,16})(?!\S))?/;

/** Payload of the event itself, as its format prints it: function, depth and, at the end of a call, when it began and ended. */
function putFields(log: Log, text: string): boolean {
  const m = arrow.exec(text) ?? fields.exec(text);
  if (!m) return false;
  const [, at, depth, start, end] = m as unknown as [string, string, string, string?, string?];
  setDict(log, 'at', at);
  if (start !== undefined && end !== undefined) {
    setF64(log, 'duration_ns', Number(BigInt(`0x${end}`) - BigInt(`0x${start}`)));
  }
  setText(log, 'detail', `depth=${depth}`);
  return true;
}

/** Payload of funcgraph_entry and funcgraph_exit in trace-cmd report; false if it is not one. */
export function putGraphPayload(log: Log, state: GraphState, cpu: number, text: string): boolean {
  const at = text.indexOf('|');
  if (at < 0) return putFields(log, text);
  const line = columnsOf(text.slice(0, at), text.slice(at + 1));
  const stack = state.open.get(cpu) ?? [];
  state.open.set(cpu, stack);
  const body = line && bodyOf(line.body, stack);
  if (!body) return false;
  putBody(log, body, line.duration_ns);
  return true;
}

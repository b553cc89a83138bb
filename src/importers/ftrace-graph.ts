import { type Log, setDict, setF64, setInt, setText, setU64 } from '../events/log.js';

/** What the columns of a function_graph line say; undefined where the line has no such column. */
export interface GraphLine {
  readonly seconds?: string;
  readonly cpu?: number;
  readonly task?: string;
  readonly pid?: number;
  readonly flags?: string;
  readonly duration_ns?: number;
  readonly body: string;
}

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

/** The last column: a call, a closing brace, a comment; where nothing else can stand. */
const bodyStart = /^\s+(?:[A-Za-z_][\w.$]*(?:\s*\[[^\]]*\])?\(|\}|\/\*)/;
const interrupt = /^\s*(={8,}>|<={8,})\s*$/;

const durationColumn = /^\s*[+!#*@$]?\s*(\d+(?:\.\d+)?)\s+us\s*$/;
const taskColumn = /^\s*(.*\S)-(\d+)\s*$/;

/** The columns before the body, separated by '|'. */
function columnsOf(prefix: string, body: string): GraphLine | null {
  let line: { -readonly [K in keyof GraphLine]: GraphLine[K] } = { body };
  for (const part of prefix.split('|')) {
    let text = part;
    const cpu = /^\s*(\d{1,5})\)\s?/.exec(text);
    if (cpu && line.cpu === undefined) {
      line.cpu = Number(cpu[1]);
      text = text.slice(cpu[0].length);
    }
    if (text.trim() === '') continue;
    const time = /^\s*(\d+\.\d{6,9})\s*$/.exec(text);
    const duration = durationColumn.exec(text);
    const task = taskColumn.exec(text);
    if (time && line.seconds === undefined) line.seconds = time[1]!;
    else if (duration) line.duration_ns = Math.round(Number(duration[1]) * 1000);
    else if (task) line = { ...line, task: task[1]!.trim(), pid: Number(task[2]) };
    else if (/^\s*[.\w#]{4,8}\s*$/.test(text)) line.flags = text.trim();
    else if (interrupt.test(text)) line.body = text.trim();
    else return null;
  }
  return line;
}

/** Take a line of the function_graph tracer apart; null if it is none. */
export function parseGraphLine(text: string): GraphLine | null {
  for (let at = text.indexOf('|'); at >= 0 && at < 120; at = text.indexOf('|', at + 1)) {
    if (bodyStart.test(text.slice(at + 1))) {
      return columnsOf(text.slice(0, at), text.slice(at + 1));
    }
  }
  const irq = /^(.*?)\s*(={8,}>|<={8,}) \|\s*$/.exec(text);
  if (irq) return columnsOf(irq[1]!, irq[2]!);
  // without the duration column no '|' need stand
  const bare = /^(\s*\d{1,5}\))(\s.*)$/.exec(text);
  return bare && bodyStart.test(bare[2]!) ? columnsOf(bare[1]!, bare[2]!) : null;
}

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
}

const signed = (text: string): bigint =>
  text.startsWith('-') ? -BigInt(text.slice(1)) : BigInt(text);

/** '= 0xffff', 'func ret=0x0', 'func': name and return value of a comment behind a call. */
function comment(text: string): { name?: string; ret?: bigint } {
  const ret = /(?:^|\s)(?:=\s*|ret(?:val)?=\s*)(-?(?:0x[0-9a-f]{1,16}|\d{1,19}))(?:\s|$)/.exec(
    text,
  );
  const name = /^([A-Za-z_][\w.$]*)(?:\s|$)/.exec(text);
  return {
    ...(name && !text.startsWith('ret=') ? { name: name[1]! } : {}),
    ...(ret ? { ret: signed(ret[1]!) } : {}),
  };
}

const call =
  /^([A-Za-z_][\w.$]*(?:\s*\[[^\]]*\])?)\((.*?)\)\s*(;|\{)?\s*(?:\/\*\s*(.*?)\s*\*\/)?\s*$/;

function callBody(m: RegExpExecArray, stack: string[], depth: string): Body {
  const [, name, args, end, about] = m as unknown as [string, string, string, string?, string?];
  const { ret } = comment(about ?? '');
  const detail = [depth, ...(args === '' ? [] : [`args=(${args})`])];
  if (end === '{') {
    if (stack.length < maxDepth) stack.push(name);
    return { event: 'funcgraph_entry', at: name, detail };
  }
  return {
    event: 'funcgraph_leaf',
    at: name,
    detail: about && ret === undefined ? [...detail, `/* ${about} */`] : detail,
    ...(ret === undefined ? {} : { ret }),
  };
}

function bodyOf(text: string, stack: string[]): Body | null {
  const body = text.trim();
  const depth = `depth=${Math.max(0, Math.floor((text.length - text.trimStart().length - 2) / 2))}`;
  if (/^=+>$/.test(body)) return { event: 'funcgraph_irq_entry', detail: [] };
  if (/^<=+$/.test(body)) return { event: 'funcgraph_irq_exit', detail: [] };
  const m = call.exec(body);
  if (m) return callBody(m, stack, depth);
  const close = /^\}\s*(?:\/\*\s*(.*?)\s*\*\/)?$/.exec(body);
  if (close) {
    const opened = stack.pop();
    const { name, ret } = comment(close[1] ?? '');
    const at = name ?? opened;
    return {
      event: 'funcgraph_exit',
      detail: [depth],
      ...(at === undefined ? {} : { at }),
      ...(ret === undefined ? {} : { ret }),
    };
  }
  const note = /^\/\*\s?(.*?)\s*\*\/$/.exec(body);
  if (!note) return null;
  const named = /^([A-Za-z_]\w*): (.*)$/.exec(note[1]!);
  return named ? { event: named[1]!, detail: [named[2]!] } : { event: 'print', detail: [note[1]!] };
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
}

/**
 * Append a line of the function_graph tracer. `add` appends the row: stamp and event; it gives false if
 * the stamp cannot be read. False if the body is not understood.
 */
export function addGraphLine(
  log: Log,
  state: GraphState,
  line: GraphLine,
  add: (seconds: string | undefined, event: string) => void,
): boolean {
  const cpu = line.cpu ?? 0;
  const stack = state.open.get(cpu) ?? [];
  state.open.set(cpu, stack);
  const body = bodyOf(line.body, stack);
  if (!body) return false;
  add(line.seconds, body.event);
  if (line.seconds === undefined) state.undated++;
  if (body.event === 'funcgraph_leaf') state.leaves++;
  const { task, pid } = line.pid === undefined ? (state.running.get(cpu) ?? {}) : line;
  if (line.cpu !== undefined) setInt(log, 'cpu', line.cpu);
  if (pid !== undefined && pid <= 0x7fffffff) setInt(log, 'pid', pid);
  if (task !== undefined) setDict(log, 'task', task);
  if (line.flags !== undefined) setDict(log, 'flags', line.flags);
  putBody(log, body, line.duration_ns);
  return true;
}

/** Payload of funcgraph_entry and funcgraph_exit in trace-cmd report; false if it is not one. */
export function putGraphPayload(log: Log, state: GraphState, cpu: number, text: string): boolean {
  const at = text.indexOf('|');
  if (at < 0) return false;
  const line = columnsOf(text.slice(0, at), text.slice(at + 1));
  const stack = state.open.get(cpu) ?? [];
  state.open.set(cpu, stack);
  const body = line && bodyOf(line.body, stack);
  if (!body) return false;
  putBody(log, body, line.duration_ns);
  return true;
}

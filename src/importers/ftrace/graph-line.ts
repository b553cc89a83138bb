/** What the columns of a function_graph line say; undefined where the line has no such column. */
export interface GraphLine {
  readonly seconds?: string;
  /** Microseconds since the start of a latency trace, in the stamp's stead. */
  readonly relative_us?: number;
  readonly cpu?: number;
  readonly task?: string;
  readonly pid?: number;
  readonly flags?: string;
  readonly duration_ns?: number;
  /** Two blanks for each level of the call, behind two more. */
  readonly body: string;
}

/** The last column: a call, a closing brace, a comment; where nothing else can stand. */
const bodyStart = /^\s*(?:[A-Za-z_][\w.$]*(?:\s*\[[^\]]*\])?\(|\}|\/\*)/;
const interrupt = /^\s*(={8,}>|<={8,})\s*$/;

const durationColumn = /^\s*[+!#*@$]?\s*(\d+(?:\.\d+)?)\s+us\s*$/;
/** Flags and duration without a bar between them, of kernels before 2.6.38. */
const flagsAndDuration = /^\s*([.\w#]{4,8})\s+([+!#*@$]?\s*\d+(?:\.\d+)?\s+us)\s*$/;
const taskColumn = /^\s*(.*\S)-(\d+)\s*$/;

/** The columns before the body, separated by '|'. */
export function columnsOf(prefix: string, body: string): GraphLine | null {
  let line: { -readonly [K in keyof GraphLine]: GraphLine[K] } = { body };
  const parts = prefix.split('|');
  for (const [i, part] of parts.entries()) {
    let text = part;
    const cpu = /^\s*(\d{1,5})\)\s?/.exec(text);
    if (cpu && line.cpu === undefined) {
      line.cpu = Number(cpu[1]);
      text = text.slice(cpu[0].length);
    }
    const both = flagsAndDuration.exec(text);
    if (both) {
      line.flags = both[1]!;
      text = both[2]!;
    }
    if (text.trim() === '') continue;
    const time = /^\s*(\d+\.\d{6,9})\s*$/.exec(text);
    const relative = i === 0 && parts.length > 1 ? /^\s*(\d{1,15}) us\s*$/.exec(text) : null;
    const duration = durationColumn.exec(text);
    const task = taskColumn.exec(text);
    if (time && line.seconds === undefined) line.seconds = time[1]!;
    else if (relative) line.relative_us = Number(relative[1]);
    else if (duration) line.duration_ns = Math.round(Number(duration[1]) * 1000);
    else if (task) line = { ...line, task: task[1]!.trim(), pid: Number(task[2]) };
    else if (/^\s*[.\w#]{4,8}\s*$/.test(text)) line.flags = text.trim();
    else if (interrupt.test(text)) line.body = text.trim();
    else return null;
  }
  return line;
}

/**
 * Take a line of the function_graph tracer apart; null if it is none. `bare`: such a line may have no column
 * but the last, which any text of C could be.
 */
export function parseGraphLine(text: string, bare = false): GraphLine | null {
  for (let at = text.indexOf('|'); at >= 0 && at < 120; at = text.indexOf('|', at + 1)) {
    const body = text.slice(at + 1);
    if (body[0] === ' ' && bodyStart.test(body)) return columnsOf(text.slice(0, at), body);
  }
  const irq = /^(.*?)\s*(={8,}>|<={8,}) \|\s*$/.exec(text);
  if (irq) return columnsOf(irq[1]!, irq[2]!);
  // without the duration column no '|' need stand, and the body begins one blank behind the CPU
  const m = /^(\s*\d{1,5}\)) (.*)$/.exec(text);
  if (m && bodyStart.test(m[2]!)) return columnsOf(m[1]!, `  ${m[2]}`);
  return bare && bodyStart.test(text) ? { body: `  ${text}` } : null;
}

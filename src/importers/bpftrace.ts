import { addRow, type Log, setF64, setText } from '../events/log.js';
import { addGap, addUnparsed, type TraceMeta } from '../events/meta.js';
import { FormatError, type Importer } from './importer.js';
import { eachText, unquoted } from './lines.js';
import { plainHead, plainText } from './quoted-printable.js';

/** '@name[key, key]: 12', '@name: 12', '@name: count 5, average 2, total 10'. */
const single = /^(@\w*)(?:\[(.*)\])?: (.+)$/;
/** '@name[key]:' or '@name:' before the buckets of a histogram. */
const opening = /^(@\w*)(?:\[(.*)\])?:\s*$/;
/** '[4, 8)   12 |@@@   |', '[1]   3 |@ |', '(..., 0)  1 |@|', '[1K, 2K)'. */
const bucket = /^([[(].*?[\])])\s+(\d+)\s+\|[@ ]*\|\s*$/;
/** '@name[' before a stack as key. */
const stackOpening = /^(@\w*)\[(.*)$/;
const known = /^(Attach(?:ing|ed) \d+ probes?(?:\.\.\.)?|\s*\^C|\d\d:\d\d:\d\d)\s*$/;

interface State {
  readonly log: Log;
  readonly meta: TraceMeta;
  /** Map and key of the histogram being read, or of a stack that is a value; the stack that is its key. */
  histogram: { map: string; key: string; stack: string; frames: string[] } | null;
  /** Map, key and frames of the stack being read. */
  stack: { map: string; key: string[]; frames: string[] } | null;
}

/** A map of which nothing but its name was printed yet. */
const opened = (map: string, key: string, stack = '') => ({ map, key, stack, frames: [] });

function addValue(s: State, map: string, key: string, value: string | null, range?: string): void {
  const { log } = s;
  addRow(log, 0, 0, log.dicts.event.intern(map));
  const n = /^-?\d{1,15}$/.test(value ?? '') ? Number(value) : null;
  const stats = /^count (\d{1,15}), average /.exec(value ?? '');
  if (n !== null || stats) setF64(log, 'count', n ?? Number(stats![1]));
  const detail = [
    ...(key === '' ? [] : [`key=${key}`]),
    ...(range === undefined ? [] : [`range=${range}`]),
    ...(n === null && value !== null ? [`value=${value}`] : []),
  ];
  if (detail.length > 0) setText(log, 'detail', detail.join(' '));
}

/** Lines of a stack that is a map's key, up to ']: 12'. */
function readStack(s: State, text: string): void {
  const stack = s.stack!;
  const end = /^\s*(?:,\s*(.*))?\]:\s*(.*)$/.exec(text);
  if (!end) {
    const frame = text.trim().replace(/,$/, '');
    if (frame !== '' && stack.frames.length < 1024) stack.frames.push(frame);
    return;
  }
  if (end[1]) stack.key.push(end[1]);
  s.stack = null;
  const key = stack.key.filter((k) => k !== '').join(', ');
  const frames = stack.frames.join('\n');
  if (end[2] === '') {
    s.histogram = opened(stack.map, key, frames);
    return;
  }
  addValue(s, stack.map, key, end[2]!);
  if (frames !== '') setText(s.log, 'stack', frames);
}

/** A line below a map's name: a bucket, or a frame of the stack that is its value. */
function readOpened(s: State, text: string): boolean {
  const h = s.histogram;
  const b = h && bucket.exec(text);
  if (b) {
    addValue(s, h.map, h.key, b[2]!, b[1]!);
    if (h.stack !== '') setText(s.log, 'stack', h.stack);
    return true;
  }
  const isFrame = h !== null && /^\s+\S/.test(text) && h.frames.length < 1024;
  if (isFrame) h.frames.push(text.trim());
  return isFrame;
}

/** The map whose name stood alone ends here: a stack that was its value is a row. */
function endOpened(s: State): void {
  const h = s.histogram;
  s.histogram = null;
  if (!h || h.frames.length === 0) return;
  addValue(s, h.map, h.key, null);
  setText(s.log, 'stack', [...h.frames, ...(h.stack === '' ? [] : [h.stack])].join('\n'));
}

function readLine(s: State, text: string): boolean {
  if (s.stack) {
    readStack(s, text);
    return true;
  }
  if (readOpened(s, text)) return true;
  endOpened(s);
  const open = opening.exec(text);
  if (open) {
    s.histogram = opened(open[1]!, open[2] ?? '');
    return true;
  }
  const one = single.exec(text);
  if (one) {
    addValue(s, one[1]!, one[2] ?? '', one[3]!);
    return true;
  }
  const stack = stackOpening.exec(text);
  if (stack && !text.includes(']')) {
    s.stack = { map: stack[1]!, key: [stack[2]!.replace(/,\s*$/, '')], frames: [] };
    return true;
  }
  const lost = /^Lost (\d+) events/.exec(text);
  if (lost) addGap(s.meta, { cpu: null, seq: s.log.total, lost: Number(lost[1]) });
  return lost !== null || known.test(text);
}

/** What bpftrace prints of its maps when it ends: counts, histograms, stacks. */
export const bpftrace: Importer = {
  about: 'maps and histograms as bpftrace prints them',
  sniff(bytes) {
    const text = Buffer.from(plainHead(bytes))
      .toString('latin1')
      .split('\n')
      .map(unquoted)
      .join('\n');
    if (/^Attach(ing|ed) \d+ probe/m.test(text)) return true;
    return /^@\w*(\[[^\n]*\])?:( \S|\s*\n[[(])|^@\w*\[\r?\n\s+\S/m.test(text);
  },
  async read(input, log, meta) {
    const s: State = { log, meta, histogram: null, stack: null };
    await eachText(plainText(input.chunks()), (at, cut) => {
      const text = unquoted(at.text);
      if (text.trim() === '') return;
      if (cut || !readLine(s, text)) addUnparsed(meta, { ...at, text });
    });
    endOpened(s);
    if (s.stack) addUnparsed(meta, { offset: 0, text: `${s.stack.map}[ ... is not closed` });
    if (log.total === 0 && meta.unparsed.lines > 0) {
      throw new FormatError(
        'output of bpftrace without a map: what its printf writes is free text, so let the script print maps',
      );
    }
    meta.notes.push('bpftrace maps have no time stamps: 0');
  },
};

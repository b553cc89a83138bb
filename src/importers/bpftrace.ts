import { decodeText } from '../events/dict.js';
import { addRow, type Log, setF64, setText } from '../events/log.js';
import { addGap, addUnparsed, type TraceMeta } from '../events/meta.js';
import type { Importer } from './importer.js';
import { eachLine } from './lines.js';

/** '@name[key, key]: 12', '@name: 12', '@name: count 5, average 2, total 10'. */
const single = /^(@\w*)(?:\[(.*)\])?: (.+)$/;
/** '@name[key]:' or '@name:' before the buckets of a histogram. */
const opening = /^(@\w*)(?:\[(.*)\])?:\s*$/;
/** '[4, 8)   12 |@@@   |', '[1]   3 |@ |', '(..., 0)  1 |@|', '[1K, 2K)'. */
const bucket = /^([[(].*?[\])])\s+(\d+)\s+\|[@ ]*\|\s*$/;
/** '@name[' before a stack as key. */
const stackOpening = /^(@\w*)\[(.*)$/;
const known = /^(Attaching \d+ probes?\.\.\.|\s*\^C|\d\d:\d\d:\d\d)\s*$/;

interface State {
  readonly log: Log;
  readonly meta: TraceMeta;
  /** Map and key of the histogram being read. */
  histogram: { map: string; key: string } | null;
  /** Map, key and frames of the stack being read. */
  stack: { map: string; key: string[]; frames: string[] } | null;
}

function addValue(s: State, map: string, key: string, value: string, range?: string): void {
  const { log } = s;
  addRow(log, 0, 0, log.dicts.event.intern(map));
  const n = /^-?\d{1,15}$/.test(value) ? Number(value) : null;
  const stats = /^count (\d{1,15}), average /.exec(value);
  if (n !== null || stats) setF64(log, 'count', n ?? Number(stats![1]));
  const detail = [
    ...(key === '' ? [] : [`key=${key}`]),
    ...(range === undefined ? [] : [`range=${range}`]),
    ...(n === null ? [`value=${value}`] : []),
  ];
  if (detail.length > 0) setText(log, 'detail', detail.join(' '));
}

/** Lines of a stack that is a map's key, up to ']: 12'. */
function readStack(s: State, text: string): void {
  const stack = s.stack!;
  const end = /^\s*(?:,\s*(.*))?\]: (.+)$/.exec(text);
  if (!end) {
    const frame = text.trim().replace(/,$/, '');
    if (frame !== '' && stack.frames.length < 1024) stack.frames.push(frame);
    return;
  }
  if (end[1]) stack.key.push(end[1]);
  addValue(s, stack.map, stack.key.filter((k) => k !== '').join(', '), end[2]!);
  if (stack.frames.length > 0) setText(s.log, 'stack', stack.frames.join('\n'));
  s.stack = null;
}

function readLine(s: State, text: string): boolean {
  if (s.stack) {
    readStack(s, text);
    return true;
  }
  const b = s.histogram && bucket.exec(text);
  if (b) {
    addValue(s, s.histogram!.map, s.histogram!.key, b[2]!, b[1]!);
    return true;
  }
  s.histogram = null;
  const open = opening.exec(text);
  if (open) {
    s.histogram = { map: open[1]!, key: open[2] ?? '' };
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
    const text = Buffer.from(bytes).toString('latin1');
    return /^Attaching \d+ probe/m.test(text) || /^@\w*(\[[^\n]*\])?:( \S|\s*\n[[(])/m.test(text);
  },
  async read(input, log, meta) {
    const s: State = { log, meta, histogram: null, stack: null };
    await eachLine(input.chunks(), (buf, start, end, line, offset) => {
      const text = decodeText(buf.subarray(start, Math.min(end, start + 8192)));
      if (text.trim() !== '' && !readLine(s, text)) addUnparsed(meta, { line, offset, text });
    });
    if (s.stack) addUnparsed(meta, { offset: 0, text: `${s.stack.map}[ ... is not closed` });
    meta.notes.push('bpftrace maps have no time stamps: 0');
  },
};

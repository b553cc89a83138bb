import { addLoss, addUnparsed } from '../../events/meta.js';
import { eachLine, type OnLine, type Place, type ReadMany } from '../lines.js';
import { refuseEmpty } from './empty.js';
import { readMany } from './fast.js';
import { textOf } from './other.js';
import { readSourceLine } from './read.js';
import { endStack, type State } from './state.js';

/** Read lines into the log; gives where they end, as lines and bytes from the start of the source. */
export function readLines(
  s: State,
  pieces: AsyncIterable<Uint8Array> | Iterable<Uint8Array>,
  from?: Place,
): Promise<Place> {
  const onLine: OnLine = (buf, start, end, line, offset, cut) => {
    if (readSourceLine(s, buf, start, end) && !cut) return;
    addUnparsed(s.meta, { line, offset, text: textOf(buf, start, Math.min(end, start + 200)) });
  };
  const many: ReadMany = (buf, start, end, count) => readMany(s, buf, start, end, count);
  return eachLine(pieces, onLine, many, from);
}

/** What is known once all was read. */
export function finish(s: State): void {
  endStack(s);
  refuseEmpty(s);
  const { meta, log, graph } = s;
  addLoss(meta, null, s.overwritten);
  if (s.outOfOrder > 0) meta.notes.push(`${s.outOfOrder} events are older than the one before`);
  if (graph.undated > 0) {
    meta.notes.push(
      `${graph.undated} function_graph lines have no stamp (no funcgraph-abstime): 0`,
    );
  }
  if (s.around > 0) meta.notes.push(`${s.around} lines of HTML around the trace`);
  if (s.joined > 0) meta.notes.push(`${s.joined} wrapped lines were put together again`);
  if (s.formless > 0) {
    meta.notes.push(
      `${s.formless} events of unknown format, without stamp and CPU: given the stamp of the event before`,
    );
  }
  if (s.ticks)
    meta.notes.push(
      'stamps are ticks of a clock that counts (counter, x86-tsc, uptime, or report --raw-ts): ts_ns holds ticks',
    );
  if (s.processes > 0) meta.notes.push(`${s.processes} lines of atrace's list of processes`);
  if (s.console > 0) {
    meta.notes.push(
      `${s.console} lines of the kernel's log around the trace: read them with --format dmesg`,
    );
  }
  const entries = log.total + graph.leaves; // a leaf is an entry and an exit in the ring buffer
  if (meta.stated !== null && meta.stated !== entries && meta.stated !== log.total) {
    meta.notes.push(`the header states ${meta.stated} events, the body has ${log.total}`);
  }
}

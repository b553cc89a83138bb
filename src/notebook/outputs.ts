// From a kernel's iopub messages to the outputs of a cell.
import type { MimeBundle, Output } from './nbformat.js';
import type { Content, Message } from './wire.js';

/** Text of a cell beyond this many bytes is cut, with a line that says so. */
const maxText = 256 * 1024 * 1024;

/** Outputs by display id, so that an update finds every copy, in earlier cells too. */
export type Displays = Map<string, { data: MimeBundle; metadata: Content }[]>;

/** Gathers one cell's outputs. */
export interface Collector {
  take(m: Message): void;
  /** The outputs so far; streams joined. */
  outputs(): Output[];
  /** The cell's number as the kernel counts, if it said so. */
  count(): number | undefined;
}

interface Stream {
  output_type: 'stream';
  name: 'stdout' | 'stderr';
  chunks: string[];
}

type Draft = Stream | Exclude<Output, { output_type: 'stream' }>;

/** A collector whose displays are known to `displays` (shared by the notebook's cells). */
export function collector(displays: Displays = new Map()): Collector {
  let drafts: Draft[] = [];
  let size = 0;
  let cut = 0;
  let clearNext = false;
  let count: number | undefined;

  const add = (d: Draft): void => {
    if (clearNext) drafts = [];
    clearNext = false;
    drafts.push(d);
  };
  const stream = (name: 'stdout' | 'stderr', text: string): void => {
    size += text.length;
    if (size > maxText) {
      cut += text.length;
      return;
    }
    const last = clearNext ? undefined : drafts.at(-1);
    if (last?.output_type === 'stream' && last.name === name) last.chunks.push(text);
    else add({ output_type: 'stream', name, chunks: [text] });
  };
  const display = (c: Content): void => {
    const shown = { data: c['data'] as MimeBundle, metadata: (c['metadata'] as Content) ?? {} };
    const output = { output_type: 'display_data' as const, ...shown };
    const id = (c['transient'] as Content | undefined)?.['display_id'];
    if (typeof id === 'string') displays.set(id, [...(displays.get(id) ?? []), output]);
    add(output);
  };
  const update = (c: Content) => {
    const id = String((c['transient'] as Content | undefined)?.['display_id']);
    const copies = displays.get(id);
    if (!copies) display(c); // the first showing was lost, or cleared
    for (const o of copies ?? []) {
      o.data = c['data'] as MimeBundle;
      o.metadata = (c['metadata'] as Content) ?? {};
    }
  };
  const takers: Record<string, (c: Content) => void> = {
    stream: (c) => stream(c['name'] === 'stderr' ? 'stderr' : 'stdout', String(c['text'])),
    display_data: display,
    update_display_data: update,
    execute_input: (c) => {
      count = c['execution_count'] as number;
    },
    execute_result: (c) => {
      count = c['execution_count'] as number;
      const { data, metadata } = c as { data: MimeBundle; metadata?: Content };
      add({
        output_type: 'execute_result',
        data,
        metadata: metadata ?? {},
        execution_count: count,
      });
    },
    error: (c) =>
      add({
        output_type: 'error',
        ename: String(c['ename']),
        evalue: String(c['evalue']),
        traceback: (c['traceback'] as string[] | undefined) ?? [],
      }),
    clear_output: (c) => {
      if (c['wait']) clearNext = true;
      else drafts = [];
    },
  };
  return {
    take: (m) => takers[m.header.msg_type]?.(m.content),
    count: () => count,
    outputs() {
      const whole = drafts.map(
        (d): Output =>
          d.output_type === 'stream'
            ? { output_type: 'stream', name: d.name, text: d.chunks.join('') }
            : d,
      );
      if (cut === 0) return whole;
      const text = `ptlab: ${cut} more characters of output were left out here\n`;
      return [...whole, { output_type: 'stream', name: 'stderr', text }];
    },
  };
}

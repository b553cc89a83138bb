// The charts of an executed notebook as files.
import { join } from 'node:path';
import { type MimeBundle, type Notebook, writeWhole } from './nbformat.js';

const isSpec = (mime: string): boolean => /^application\/vnd\.vegalite\.v\d+\+json$/.test(mime);

/** A string made fit for a file name: letters, digits, '-', '_' and '.', never hidden. */
export const fileName = (text: string): string =>
  text
    .replace(/[^\w.-]+/g, '-')
    .replace(/^[.-]+|[.-]+$/g, '')
    .slice(0, 80);

/** A chart among the outputs: its MIME bundle and the name it gives itself. */
export interface Shown {
  readonly cell: number;
  readonly name: string;
  readonly bundle: MimeBundle;
}

/** Every chart in the outputs of `nb`: bundles with a Vega-Lite spec or an SVG. */
export function chartsOf(nb: Notebook): Shown[] {
  return nb.cells.flatMap((c, i) =>
    (c.outputs ?? []).flatMap((o): Shown[] => {
      if (o.output_type !== 'display_data' && o.output_type !== 'execute_result') return [];
      const mime = Object.keys(o.data).find(isSpec);
      if (mime === undefined && o.data['image/svg+xml'] === undefined) return [];
      const spec = (mime === undefined ? {} : o.data[mime]) as {
        usermeta?: { ptlab?: { name?: unknown } };
      };
      const name = spec.usermeta?.ptlab?.name;
      return [{ cell: i + 1, name: typeof name === 'string' ? name : '', bundle: o.data }];
    }),
  );
}

/**
 * Write every chart of `nb` into `folder` as NAME.svg, .png, .txt and .vl.json, as far as the
 * output has that form; the names begin with `prefix`. Gives the files written.
 */
export function writeCharts(nb: Notebook, folder: string, prefix: string): string[] {
  const taken = new Set<string>();
  const written: string[] = [];
  for (const { cell, name, bundle } of chartsOf(nb)) {
    const base = fileName(`${prefix}-${name || `cell${cell}`}`);
    let file = base;
    for (let n = 2; taken.has(file); n++) file = `${base}-${n}`;
    taken.add(file);
    const put = (ending: string, data: string | Uint8Array) => {
      const path = join(folder, file + ending);
      writeWhole(path, data);
      written.push(path);
    };
    for (const [mime, value] of Object.entries(bundle)) {
      if (mime === 'image/svg+xml') put('.svg', String(value));
      else if (mime === 'image/png') put('.png', Buffer.from(String(value), 'base64'));
      else if (mime === 'text/plain') put('.txt', `${String(value).replace(/\n?$/, '\n')}`);
      else if (isSpec(mime)) put('.vl.json', `${JSON.stringify(value, null, 2)}\n`);
    }
  }
  return written;
}

import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { infoOf } from '../analyses/info.js';
import { overwrites } from '../analyses/overwrites.js';
import { charts } from '../charts/index.js';
import { openTrace } from '../importers/open.js';
import { chartSpec, forms } from './charts.js';
import type { Answer, Command, Context, Options } from './command.js';
import { importCommand } from './import.js';
import { run as runNotebook } from './run.js';
import { writeOut } from './write.js';

const home = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const sample = join(home, 'data', 'B2-x2b-2readers', 'trace.txt.gz');

/** Every chart of a trace in every form, into `folder`; gives the names written. */
async function drawAll(trace: string, folder: string, context: Context): Promise<string[]> {
  const bar = context.progress('drawing');
  const table = await openTrace(trace);
  const written: string[] = [];
  const names = Object.keys(charts);
  for (const [i, name] of names.entries()) {
    bar.update(i, names.length, name);
    const spec = chartSpec(name, table, trace);
    for (const [end, form] of Object.entries(forms)) {
      const file = `${name}${end === '.json' ? '.vl.json' : end}`;
      writeOut(join(folder, file), await form(spec));
      written.push(file);
    }
  }
  bar.stop();
  return written;
}

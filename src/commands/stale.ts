import { readFileSync } from 'node:fs';
import { PageTablesError, readPageTables, staleTables } from '../importers/page-tables.js';
import { walksPerRead } from '../linux/mm/ptdump.js';
import { type Answer, type Command, type Options, UserError } from './command.js';
import { toCsv } from './write.js';

const PAGE_BYTES: Readonly<Record<string, number>> = { '4K': 4096, '16K': 16384, '64K': 65536 };

async function run(args: readonly string[], options: Options): Promise<Answer> {
  const path = args[0]!;
  const granule = String(options['granule']);
  const page = PAGE_BYTES[granule];
  if (page === undefined)
    throw new UserError(`--granule ${granule}: known are ${Object.keys(PAGE_BYTES).join(', ')}`);
  try {
    const text = readFileSync(path, 'utf8');
    const { pte, pmd, slots } = staleTables(readPageTables(text), page);
    const walks = walksPerRead(Buffer.byteLength(text), page);
    const rows = slots.map((at) => ({ slot: `0x${at.toString(16)}` }));
    return {
      json: { pte, pmd, slots: rows.map((r) => r.slot), walks_per_read: walks },
      text: [
        'page tables left behind in the vmalloc area, which a huge mapping would',
        'overwrite:',
        `  PTE tables that map nothing   ${String(pte).padStart(8)}`,
        `  PMD tables that map nothing   ${String(pmd).padStart(8)}`,
        `A read of this dump walks the tables ${walks} times.`,
      ].join('\n'),
      csv: toCsv(rows),
    };
  } catch (e) {
    if (e instanceof PageTablesError || (e as NodeJS.ErrnoException).code)
      throw new UserError(`${path}: ${(e as Error).message}`);
    throw e;
  }
}

/** `ptlab stale`: what a real machine's dump says of tables left behind. */
export const stale: Command = {
  args: '<kernel_page_tables>',
  about: 'count the page tables left behind in a kernel_page_tables dump',
  options: [['--granule <size>', '4K, 16K or 64K', '4K']],
  examples: [
    'ptlab stale data/B2-x2b-2readers/kernel_page_tables.end',
    'ptlab stale kernel_page_tables --json',
  ],
  run,
};

import type { Scenario } from '../linux/scenario.js';
import { lock, newSystem } from '../linux/system.js';
import { dumpTask, freers, overwritesPmds, pmdEntries, readers, tables, vmallocTask, walks } from './parts.js'; // biome-ignore format: one line

/**
 * check_wx_pages beside kernel_page_tables: two files, one walk. With 'no-debugfs' only check_wx_pages is there
 * (CONFIG_DEBUG_WX=y is enough for it since 6.9), and what a scheme does under CONFIG_PTDUMP_DEBUGFS is not.
 */
export const checkWx: Scenario = {
  name: 'check-wx',
  about: 'check_wx_pages, beside R dumps of kernel_page_tables, against F CPUs',
  sizes: { readers, freers, tables, walks },
  build(scheme, { readers: r, freers: f, tables: t, walks: w }, variant) {
    const sys = newSystem(scheme, variant);
    lock(sys, 'init_mm');
    const entries = f! * t!;
    const pmds = pmdEntries(sys, entries);
    for (let cpu = 0; cpu < f!; cpu++)
      vmallocTask(sys, cpu, () => overwritesPmds(sys, pmds + cpu * t!, t!, cpu));
    const shape = { top: entries, pmds: 0, ptes: 1 };
    const dumps = sys.variant.has('no-debugfs') ? 0 : r!;
    for (let i = 0; i < dumps; i++) dumpTask(sys, `ptdump ${i}`, f! + i, pmds, shape, w!);
    dumpTask(sys, 'check_wx', f! + dumps, pmds, shape, 1);
    scheme.setUp?.(sys);
    return sys;
  },
};

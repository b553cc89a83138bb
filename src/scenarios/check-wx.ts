import type { Scenario } from '../linux/scenario.js';
import { dumpTask, freers, overwritesPmds, pmdFreers, readers, tables, walks } from './parts.js'; // biome-ignore format: one line

/**
 * check_wx_pages beside kernel_page_tables: two files, one walk. With 'no-debugfs' only check_wx_pages is there
 * (CONFIG_DEBUG_WX=y is enough for it since 6.9), and what a scheme does under CONFIG_PTDUMP_DEBUGFS is not.
 */
export const checkWx: Scenario = {
  name: 'check-wx',
  about: 'check_wx_pages, beside R dumps of kernel_page_tables, against F CPUs',
  sizes: { readers, freers, tables, walks },
  build(scheme, sizes, variant) {
    const { readers: r, freers: f, walks: w } = sizes;
    const { sys, pmds, shape } = pmdFreers(scheme, sizes, variant, overwritesPmds);
    const dumps = sys.variant.has('no-debugfs') ? 0 : r!;
    for (let i = 0; i < dumps; i++) dumpTask(sys, `ptdump ${i}`, f! + i, pmds, shape, w!);
    dumpTask(sys, 'check_wx', f! + dumps, pmds, shape, 1);
    scheme.setUp?.(sys);
    return sys;
  },
};

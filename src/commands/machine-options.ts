import { type Granule, geometry } from '../linux/arm64/geometry.js';
import { eraOf } from '../linux/eras.js';
import type { Machine } from '../linux/mm/machine.js';
import { type Options, UserError } from './command.js';

/** A whole number from the command line. @throws UserError naming its range. */
export function whole(options: Options, name: string, min: number, max: number): number {
  const key = name.replace(/-(\w)/g, (_, c: string) => c.toUpperCase());
  const value = Number(options[key]);
  if (Number.isInteger(value) && value >= min && value <= max) return value;
  throw new UserError(`--${name} ${options[key]}: it must be a whole number from ${min} to ${max}`);
}

/** The value, or its plain error as one a person can act on. */
export const said = <T>(what: () => T): T => {
  try {
    return what();
  } catch (e) {
    if (e instanceof RangeError || (e as Error).name === 'Error')
      throw new UserError((e as Error).message);
    throw e;
  }
};

/** The machine that the options describe. */
export function machineOf(options: Options): Machine {
  const era = said(() => eraOf(String(options['kernel'])));
  const fragmentation = Number(options['fragmentation']);
  if (!(fragmentation >= 0 && fragmentation <= 1))
    throw new UserError(`--fragmentation ${options['fragmentation']}: it must be from 0 to 1`);
  const bits = whole(options, 'va-bits', 36, 52);
  const g = said(() => geometry(String(options['granule']) as Granule, bits));
  return {
    era,
    geometry: g,
    cpus: whole(options, 'cpus', 1, 8192),
    nodes: whole(options, 'nodes', 1, 1024),
    memory_bytes: whole(options, 'memory', 1, 2 ** 20) * 2 ** 30,
    image_pages:
      options['fromVmallocinfo'] === undefined
        ? Math.ceil((whole(options, 'image', 0, 1024) * 2 ** 20) / g.pageSize_bytes)
        : 0,
    fragmentation,
    seed: String(options['seed']),
  };
}

/** Options that describe a machine. */
export const machineOptions = [
  ['-o, --output <file>', 'the Arrow file to write', 'run.arrow'],
  ['--kernel <release>', 'kernel whose rules apply', '6.12'],
  ['--cpus <n>', 'possible and online CPUs', '2'],
  ['--nodes <n>', 'NUMA nodes online', '1'],
  ['--granule <size>', '4K, 16K or 64K', '4K'],
  ['--va-bits <n>', 'bits of virtual addresses', '48'],
  ['--memory <GiB>', 'physical memory', '16'],
  ['--image <MiB>', 'address space the kernel image takes', '11'],
  ['--fragmentation <p>', 'chance that a block of frames cannot be had', '0'],
  ['--seed <text>', 'the same seed gives the same run', '0'],
  ['--from-vmallocinfo <file>', 'start with the areas of a /proc/vmallocinfo'],
  ['--from-page-tables <file>', 'start with the tables of a kernel_page_tables'],
] as const;

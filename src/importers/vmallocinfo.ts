/** One line of /proc/vmallocinfo. Sizes include the guard page. */
export interface VmallocInfoArea {
  readonly start: bigint;
  readonly end: bigint;
  readonly size_bytes: number;
  /** Function that allocated it, with offset; '' for lazily freed areas. */
  readonly caller: string;
  /** Frames mapped; null where the line does not say. */
  readonly pages: number | null;
  /** First physical address (ioremap, kernel image); null if none is given. */
  readonly phys: bigint | null;
  /** What the line calls it. */
  readonly kind:
    | 'vmalloc'
    | 'vmap'
    | 'ioremap'
    | 'vm_map_ram'
    | 'user'
    | 'dma-coherent'
    | 'sparse'
    | 'unpurged'
    | 'other';
  /** The page array is vmalloced itself. */
  readonly vpages: boolean;
}

/** A line that is none of /proc/vmallocinfo: where, and what it says. */
export class VmallocInfoError extends Error {}

const HASHED = /^0x\S*ptrval\S*-0x\S+\s+\d+ /;
const LINE = /^0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})\s+(\d+)\s+(.*)$/;
const KINDS = [
  'vmalloc',
  'vmap',
  'ioremap',
  'vm_map_ram',
  'user',
  'dma-coherent',
  'sparse',
] as const;

const hashed = (line: number, what: string): VmallocInfoError =>
  new VmallocInfoError(
    `line ${line}: ${what}. Boot with no_hash_pointers, or set kernel.kptr_restrict=1 and read as root`,
  );

/** The first word, unless it is what follows a caller: an area may have none. */
const callerOf = (word: string): string =>
  word.includes('=') || word === 'vpages' || (KINDS as readonly string[]).includes(word)
    ? ''
    : word;

function areaOf(text: string, line: number): VmallocInfoArea {
  const m = LINE.exec(text);
  if (HASHED.test(text)) throw hashed(line, 'the addresses are not printed');
  if (!m)
    throw new VmallocInfoError(
      `line ${line} is not of /proc/vmallocinfo: ${JSON.stringify(text.slice(0, 80))}. ` +
        'Expected "0x<start>-0x<end> <bytes> <caller> ..."; read the file as root',
    );
  const start = BigInt(`0x${m[1]}`);
  const end = BigInt(`0x${m[2]}`);
  const size = Number(m[3]);
  if (end <= start || BigInt(size) !== end - start)
    throw hashed(
      line,
      `${m[3]} bytes is not the distance of 0x${m[1]} and 0x${m[2]}: the addresses are hashed or zeroed`,
    );
  const words = m[4]!.split(/\s+/);
  const value = (key: string) => words.find((w) => w.startsWith(`${key}=`))?.slice(key.length + 1);
  const unpurged = /\bunpurged vm_area\b/.test(m[4]!);
  const phys = value('phys');
  const pages = value('pages');
  if (!/^\d{1,15}$/.test(pages ?? '0') || !/^0x[0-9a-f]{1,16}$/.test(phys ?? '0x0'))
    throw new VmallocInfoError(
      `line ${line}: pages=${pages ?? ''} phys=${phys ?? ''} are no numbers: the file is damaged`,
    );
  return {
    start,
    end,
    size_bytes: size,
    caller: unpurged ? '' : callerOf(words[0]!),
    pages: pages === undefined ? null : Number(pages),
    phys: phys === undefined ? null : BigInt(phys),
    kind: unpurged ? 'unpurged' : (KINDS.find((k) => words.includes(k)) ?? 'other'),
    vpages: words.includes('vpages'),
  };
}

/**
 * The areas of a /proc/vmallocinfo, in its order (node by node, not sorted).
 * @throws VmallocInfoError naming the line.
 */
export function readVmallocInfo(text: string): VmallocInfoArea[] {
  const areas: VmallocInfoArea[] = [];
  text.split('\n').forEach((line, i) => {
    if (line.trim() !== '') areas.push(areaOf(line.trimEnd(), i + 1));
  });
  if (areas.length === 0)
    throw new VmallocInfoError('no line of /proc/vmallocinfo; the file is empty (read it as root)');
  return areas;
}

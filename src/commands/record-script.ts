// The text of the scripts that `ptlab record` prints: POSIX shell, at most 72 columns where names allow.
import { octal, quote } from '../export/shell.js';
import { UserError } from './command.js';
import type { Need, Probe } from './recipes.js';

/** What the user wants of the script. */
export interface Wanted {
  readonly bufferKb: number;
  readonly workload: string;
  readonly output: string;
}

/** A recipe cut down to what one kernel has. */
export interface Recipe {
  readonly need: Need;
  readonly kernel: string;
  readonly events: readonly string[];
  readonly probes: readonly Probe[];
  readonly missing: readonly string[];
}

/** `word` as one word of any POSIX shell ($'...' is none of dash), in printable ASCII. */
export function posixQuote(word: string): string {
  if (/^[ -~]*$/.test(word)) return quote(word);
  if (/\0|\n$/.test(word))
    throw new UserError('a NUL, or a newline at the end, cannot be kept in a script');
  const bytes = Array.from(new TextEncoder().encode(word), (b) =>
    b < 0x20 || b > 0x7e || /[-%\\'"$`!]/.test(String.fromCharCode(b))
      ? octal(b)
      : String.fromCharCode(b),
  );
  return `"$(printf '${bytes.join('')}')"`;
}

/** The definition that kprobe_events takes. */
export const probeLine = (p: Probe): string =>
  `${p.back ? 'r' : 'p'}:ptlab/${p.name} ${p.at} ${p.args}`.trim();

function probeLines(p: Probe): string[] {
  const head = `probe ${p.back ? 'r' : 'p'}:ptlab/${p.name} ${p.at}`;
  return p.args === '' ? [head] : [`${head} \\`, `  ${posixQuote(p.args)}`];
}

/** Words after a prefix, in lines that end in a backslash where they go on. */
function wrapped(first: string, words: readonly string[], last: string): string[] {
  const lines = [first];
  for (const word of [...words, last]) {
    const line = lines.at(-1) as string;
    if (line.length + 1 + word.length > 69) lines.push(`  ${word}`);
    else lines[lines.length - 1] = `${line} ${word}`;
  }
  return lines.map((l, i) => (i < lines.length - 1 ? `${l} \\` : l));
}

const hashed = ['lock/contention_begin', 'mmap_lock/mmap_lock_released'];

/** What the kernel must be built with. */
const configs = ({ need, probes, events }: Recipe): string[] => [
  ...(events.length > 0 ? ['CONFIG_EVENT_TRACING'] : []),
  ...(probes.length > 0 ? ['CONFIG_KPROBE_EVENTS'] : []),
  ...(probes.some((p) => p.at === 'ptdump_walk_pgd') ? ['CONFIG_PTDUMP_DEBUGFS'] : []),
  ...(need.initMm || probes.some((p) => p.keyOnly) ? ['CONFIG_KALLSYMS_ALL'] : []),
];

const head = (r: Recipe, o: Wanted, own: readonly string[]): string[] => [
  '#!/bin/sh',
  '# Records for ptlab:',
  `#   ${r.need.about}`,
  `# on kernel ${r.kernel}. Read it, then run it as root.`,
  ...wrapped('# It needs', configs(r), '').map((l) =>
    l.replace(/ *\\?$/, '').replace(/^ +/, '#   '),
  ),
  ...own,
  ...r.missing.map((e) => `# This kernel has no ${e}.`),
  '# shellcheck disable=SC2016 # $arg1 is for the kernel',
  'set -u',
  `out=${posixQuote(o.output)}`,
  '[ ! -e "$out" ] || { echo "$out is there already" >&2; exit 1; }',
  // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
  't=${TRACEFS:-/sys/kernel/tracing}',
  '[ -e "$t/trace" ] || mount -t tracefs nodev "$t" || exit 1',
  '[ -w "$t/trace" ] ||',
  '  { echo "cannot write $t: are you root?" >&2; exit 1; }',
];

/** Functions that go on where a kernel lacks one function or event. */
const probeFunction = [
  'probe() {',
  '  { echo "$*" >> "$t/kprobe_events"; } 2> /dev/null ||',
  '    echo "no probe: $*" >&2',
  '}',
];

const dropProbes = (probes: readonly Probe[]): string[] =>
  probes.length === 0
    ? []
    : [
        ...wrapped(
          '  for p in',
          probes.map((p) => p.name),
          '; do',
        ).map((l) => l.replace(' ; do', '; do')),
        '    echo "-:ptlab/$p" >> "$t/kprobe_events"',
        '  done',
      ];

/** Addresses to filter by; where kallsyms hides them, a filter that lets all pass. */
const addressOf = (variable: string, symbol: string, field: string): string[] => [
  `${variable}=$(awk '$3 == "${symbol}" { print $1; exit }' \\`,
  '  /proc/kallsyms)',
  `case "$${variable}" in`,
  `  *[1-9a-f]*) ${variable}="${field}==0x$${variable}" ;;`,
  `  *) echo "kallsyms hides ${symbol}: all are recorded" >&2`,
  `     ${variable}="${field}!=0" ;;`,
  'esac',
];

/** The lines that turn the events on, with what they are filtered by, and those that find that out. */
function wantedEvents({ need, events, probes }: Recipe): { set: string[]; turnOn: string[] } {
  const locks = need.initMm && events.some((e) => e.startsWith('mmap_lock/'));
  const key = probes.some((p) => p.keyOnly);
  const filterOf = (event: string): string | null => {
    if (locks && event.startsWith('mmap_lock/')) return '"$init_mm"';
    return probes.some((p) => p.keyOnly && event === `ptlab/${p.name}`) ? '"$lock_key"' : null;
  };
  return {
    set: [
      ...(locks ? addressOf('init_mm', 'init_mm', 'mm') : []),
      ...(key ? addressOf('lock_key', 'arm64_ptdump_lock_key', 'key') : []),
    ],
    turnOn: [...events, ...probes.map((p) => `ptlab/${p.name}`)].map((e) =>
      ['event', e, filterOf(e)].filter((w) => w !== null).join(' '),
    ),
  };
}

/** Writes to tracefs: an instance and probes of its own, which are removed at the end. */
export function tracefsScript(r: Recipe, o: Wanted): string[] {
  const { set, turnOn } = wantedEvents(r);
  return [
    ...head(r, o, [
      '# It makes a trace instance and probes of its own and removes them',
      '# at its end; other tracing is left alone.',
    ]),
    'i=$t/instances/ptlab',
    ...probeFunction,
    'event() { # name, filter',
    '  [ -d "$i/events/$1" ] || { echo "no event: $1" >&2; return; }',
    '  [ $# = 1 ] || echo "$2" > "$i/events/$1/filter"',
    '  echo 1 > "$i/events/$1/enable"',
    '}',
    'cleanup() {',
    '  echo 0 > "$i/tracing_on"',
    '  echo 0 > "$i/events/enable"',
    '  rmdir "$i"',
    ...dropProbes(r.probes),
    '} 2> /dev/null',
    'mkdir "$i" || exit 1',
    'trap cleanup EXIT',
    "trap 'exit 1' HUP INT TERM",
    'echo 0 > "$i/tracing_on"',
    `echo ${o.bufferKb} > "$i/buffer_size_kb"`,
    ...(hashed.some((e) => r.events.includes(e))
      ? [
          'echo nohash-ptr > "$i/trace_options" ||',
          '  echo "pointers are hashed: use --by trace-cmd" >&2',
        ]
      : []),
    ...r.probes.flatMap(probeLines),
    ...set,
    ...turnOn,
    'echo 1 > "$i/tracing_on"',
    'echo MARK wl_begin > "$i/trace_marker"',
    o.workload,
    'echo MARK wl_end > "$i/trace_marker"',
    'echo 0 > "$i/tracing_on"',
    '# shellcheck disable=SC2002 # its size is 0 to gzip',
    'cat "$i/trace" | gzip > "$out"',
  ];
}

/** trace-cmd record, around probes that are removed at the end. */
export function traceCmdScript(r: Recipe, o: Wanted): string[] {
  const { set, turnOn } = wantedEvents(r);
  return [
    ...head(r, o, [
      '# It makes probes of its own and removes them at its end;',
      "# trace-cmd takes over the machine's trace buffer while it runs.",
    ]),
    ...probeFunction,
    'kb=$(cat "$t/buffer_size_kb")',
    'started=',
    'cleanup() {',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: the shell's
    '  [ -z "$started" ] || trace-cmd reset -b "${kb%% *}" > /dev/null',
    ...dropProbes(r.probes),
    '  :',
    '} 2> /dev/null',
    'trap cleanup EXIT',
    "trap 'exit 1' HUP INT TERM",
    ...r.probes.flatMap(probeLines),
    ...set,
    'work() {',
    '  echo MARK wl_begin > "$t/trace_marker"',
    `  ${o.workload}`,
    '  echo MARK wl_end > "$t/trace_marker"',
    '}',
    'want=',
    'event() { # name, filter',
    '  [ -d "$t/events/$1" ] || { echo "no event: $1" >&2; return; }',
    '  want="$want -e $(echo "$1" | tr / :)"',
    '  [ $# = 1 ] || want="$want -f $2"',
    '}',
    ...turnOn,
    'started=1',
    '# shellcheck disable=SC2086 # these are words',
    `trace-cmd start -b ${o.bufferKb} $want || exit 1`,
    'work',
    'trace-cmd stop',
    'trace-cmd extract -o "$out"',
  ];
}

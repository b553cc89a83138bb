import { FormatError, type Importer } from './importer.js';
import { importers } from './index.js';
import { headBytes } from './peek.js';
import { stateOf } from './states.js';
import { packedAtrace } from './unpack.js';

const magics = {
  gzip: [0x1f, 0x8b],
  xz: [0xfd, 0x37, 0x7a, 0x58, 0x5a, 0x00],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
} as const;

/** How a file may be packed. */
export type Wrapper = keyof typeof magics | 'atrace';

/** Does it begin with a frame that zstd skips, such as pzstd and seekable zstd write? */
const isSkipped = (head: Uint8Array): boolean =>
  (head[0]! & 0xf0) === 0x50 && [0x2a, 0x4d, 0x18].every((b, i) => head[i + 1] === b);

/** How a file is packed, by its first bytes; null if it is not. */
export function wrapperOf(head: Uint8Array): Wrapper | null {
  if (isSkipped(head)) return 'zstd';
  const found = Object.entries(magics).find(([, magic]) => magic.every((b, i) => head[i] === b));
  if (found) return found[0] as Wrapper;
  return packedAtrace(head) === null ? null : 'atrace';
}

const NEWLINE = 10;
const RETURN = 13;

const shown = (head: Uint8Array): string =>
  JSON.stringify(Buffer.from(head.subarray(0, 48)).toString('latin1'));

/** Bytes in which the sign of a file without events stands. */
const stateBytes = 1 << 13;

/** A file that holds no events is refused by what it is; one with events may have anything in it, further on. */
function refuseState(name: string, head: Uint8Array, anywhere: boolean): void {
  const text = Buffer.from(head.subarray(0, stateBytes)).toString('latin1');
  const found = stateOf(text, anywhere);
  if (found) throw new FormatError(`${name}: this is ${found}`);
}

/** Other tools' files that hold tables or archives: how they begin, what they are, and what helps. */
const others: readonly [begin: string, what: string, help: string][] = [
  ['FEA1', 'a Feather file of version 1', 'write version 2, uncompressed or with zstd'],
  ['ORC', 'an ORC file', 'write Parquet or CSV'],
  ['Obj\x01', 'an Avro file', 'write Parquet or CSV'],
  ['SQLite format 3\0', 'an SQLite database', 'export the table as CSV'],
  ['PK\x03\x04', 'a zip archive or an Excel file', 'unpack it, or export CSV'],
  ['BZh', 'packed with bzip2', 'unpack it with bunzip2'],
];

const json = /^\s*[[{][\s[{]*["}]/;

function refuseOther(name: string, head: Uint8Array): void {
  const text = Buffer.from(head.subarray(0, 256)).toString('latin1');
  const [, what, help] =
    others.find(([begin]) => text.startsWith(begin)) ??
    (json.test(text)
      ? ['', 'JSON', `DuckDB converts it: copy (from '${name}') to 'x.parquet'`]
      : []);
  if (what !== undefined)
    throw new FormatError(`${name}: this is ${what}, which ptlab does not read; ${help}`);
}

/** Text of two bytes a character, as some shells write it. */
function refuseWide(name: string, head: Uint8Array): void {
  const isMarked = (head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff);
  const zeros = [0, 1].map((k) =>
    [0, 2, 4, 6, 8].every((i) => head[i + k] === 0 && head[i + 1 - k]),
  );
  if (!isMarked && !zeros.includes(true)) return;
  throw new FormatError(
    `${name}: text in UTF-16 (byte 0): convert it first, iconv -f UTF-16 -t UTF-8 ${name} > text`,
  );
}

/** Text whose lines end in a carriage return alone is one line to everything else. */
function refuseCarriage(name: string, head: Uint8Array): void {
  const first = head.indexOf(RETURN);
  if (first < 0 || head.includes(NEWLINE) || head.includes(0)) return;
  if (head.indexOf(RETURN, first + 1) < 0) return;
  throw new FormatError(
    `${name}: its lines end in a carriage return alone (the first at byte ${first}): ` +
      `convert it first, tr '\\r' '\\n' < ${name} > text`,
  );
}

/** A mail whose text is packed cannot be read as lines. */
function refuseBase64(name: string, head: Uint8Array): void {
  const text = Buffer.from(head).toString('latin1');
  const m = /^Content-Transfer-Encoding: *base64/im.exec(text);
  if (!m || !/^(From|Subject|MIME-Version|Message-ID|Content-Type): /im.test(text)) return;
  throw new FormatError(
    `${name}: a mail whose text is base64 (said at byte ${m.index}): save the text itself, or the attached file`,
  );
}

/**
 * The importer to use, by name or by the first bytes.
 * @throws FormatError that lists the known formats.
 */
export function choose(name: string, head: Uint8Array, format?: string): [string, Importer] {
  const list: Readonly<Record<string, Importer>> = importers;
  const known = Object.keys(list).join(', ');
  if (format !== undefined) {
    if (!Object.hasOwn(list, format)) {
      throw new FormatError(`unknown format '${format}'. Known: ${known}`);
    }
    return [format, list[format]!];
  }
  if (head.length === 0) throw new FormatError(`${name}: empty file; nothing to import`);
  refuseState(name, head, false);
  refuseWide(name, head);
  refuseCarriage(name, head.subarray(0, headBytes));
  const found = Object.entries(list).find(([, i]) => i.sniff(head.subarray(0, headBytes)));
  if (found) return found;
  refuseState(name, head, true);
  refuseBase64(name, head.subarray(0, headBytes));
  refuseOther(name, head);
  throw new FormatError(
    `${name}: no format known to ptlab; it begins (byte 0) with ${shown(head)}. ` +
      `Known: ${known}; force one with --format`,
  );
}

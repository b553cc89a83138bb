/** Gets the cells of one record (null: empty, and not quoted), the 1-based line it starts at and its byte offset. */
type OnRecord = (cells: (string | null)[], line: number, offset: number) => void;

/** Longer records are cut: a quote that is never closed must not eat the file. */
const maxRecord = 1 << 20;

const delimiters = [',', ';', '\t', '|'];

/** The delimiter that gives a heading the most names. */
export function delimiterOf(heading: string): string {
  const names = (d: string): number => heading.split(d).length;
  return delimiters.reduce((best, d) => (names(d) > names(best) ? d : best));
}

/** The first line, without a mark of UTF-8. */
export const headingOf = (text: string): string =>
  text.replace(/^\ufeff/, '').split(/[\r\n]/, 1)[0]!;

/** Reads CSV (RFC 4180) as it comes; cells may hold delimiters, quotes and newlines. Lines end in any way. */
export class CsvReader {
  readonly #onRecord: OnRecord;
  readonly #decoder = new TextDecoder();
  #cells: (string | null)[] = [];
  #cell = '';
  #quoted = false;
  /** Were there quotes around the cell? */
  #text = false;
  /** The last character was a quote inside quotes: it closes them unless another follows. */
  #closing = false;
  #size = 0;
  #line = 1;
  #start = 1;
  #offset = 0;
  #at = 0;
  #delimiter = '';
  /** What came before the heading was whole. */
  #head = '';
  /** The last character was a carriage return that ended a record. */
  #returned = false;
  /** What a reader of the table should know. */
  readonly notes = new Set<string>();

  constructor(onRecord: OnRecord) {
    this.#onRecord = onRecord;
  }

  push(chunk: Uint8Array): void {
    const text = this.#decoder.decode(chunk, { stream: true });
    if (text.includes('\ufffd'))
      this.notes.add('bytes that are not UTF-8 (or were lost before) stand as U+FFFD');
    if (this.#delimiter !== '') {
      this.#take(text);
      return;
    }
    this.#head += text;
    if (/[\r\n]/.test(this.#head) || this.#head.length > maxRecord) this.#begin();
  }

  /** The heading is known: its delimiter is that of all lines. */
  #begin(): void {
    this.#delimiter = delimiterOf(headingOf(this.#head));
    this.#take(this.#head);
    this.#head = '';
  }

  #take(text: string): void {
    for (const c of text) this.#put(c);
  }

  end(): void {
    if (this.#delimiter === '') this.#begin();
    if (this.#quoted && !this.#closing)
      this.notes.add(
        `the quote in the record of line ${this.#start} is never closed; all behind it is one cell`,
      );
    if (this.#size > 0) this.#endRecord();
  }

  #put(c: string): void {
    this.#at += Buffer.byteLength(c);
    const isPair = this.#returned && c === '\n';
    this.#returned = false;
    if (isPair) {
      this.#start = this.#line;
      this.#offset = this.#at;
      return;
    }
    if (c === '\n') this.#line++;
    if (this.#quoted && !this.#closing) {
      if (c === '"') this.#closing = true;
      else this.#add(c);
      return;
    }
    if (this.#closing && c === '"') {
      this.#closing = false;
      this.#add(c);
      return;
    }
    this.#quoted = this.#closing = false;
    if (c === '\r') {
      this.#returned = true;
      this.#line++;
      this.#endRecord();
    } else if (c === '\n') this.#endRecord();
    else if (c === this.#delimiter) {
      this.#endCell();
      this.#size++;
    } else if (c === '"' && this.#cell === '') this.#quoted = this.#text = true;
    else this.#add(c);
  }

  #add(c: string): void {
    this.#cell += c;
    if (++this.#size > maxRecord) {
      this.notes.add(
        `the record of line ${this.#start} has over ${maxRecord} characters; it was cut there`,
      );
      this.#quoted = false;
      this.#endRecord();
    }
  }

  #endCell(): void {
    this.#cells.push(this.#cell === '' && !this.#text ? null : this.#cell);
    this.#cell = '';
    this.#text = false;
  }

  #endRecord(): void {
    this.#endCell();
    if (this.#size > 0) this.#onRecord(this.#cells, this.#start, this.#offset);
    this.#cells = [];
    this.#size = 0;
    this.#start = this.#line;
    this.#offset = this.#at;
  }
}

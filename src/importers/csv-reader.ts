/** Gets the cells of one record (null: empty, and not quoted), the 1-based line it starts at and its byte offset. */
type OnRecord = (cells: (string | null)[], line: number, offset: number) => void;

/** Longer records are cut: a quote that is never closed must not eat the file. */
const maxRecord = 1 << 20;

/** Reads CSV (RFC 4180) as it comes; cells may hold commas, quotes and newlines. */
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

  constructor(onRecord: OnRecord) {
    this.#onRecord = onRecord;
  }

  push(chunk: Uint8Array): void {
    for (const c of this.#decoder.decode(chunk, { stream: true })) this.#put(c);
  }

  end(): void {
    if (this.#size > 0) this.#endRecord();
  }

  #put(c: string): void {
    this.#at += Buffer.byteLength(c);
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
    if (c === '\n') this.#endRecord();
    else if (c === ',') {
      this.#endCell();
      this.#size++;
    } else if (c === '"' && this.#cell === '') this.#quoted = this.#text = true;
    else if (c !== '\r') this.#add(c);
  }

  #add(c: string): void {
    this.#cell += c;
    if (++this.#size > maxRecord) {
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

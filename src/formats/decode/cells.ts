/** The cells of one row, as places in its text. */

/** How a cell stands in the text. */
export const PLAIN = 0;
/** In quotes, without what has to be taken apart. */
export const QUOTED = 1;
/** In quotes, with escapes in it. */
export const ESCAPED = 2;
/** Not there at all. */
export const ABSENT = 3;
/** A number where others would stand in quotes. */
export const BARE = 4;

export class Cells {
  count = 0;
  starts = new Int32Array(64);
  ends = new Int32Array(64);
  forms = new Uint8Array(64);

  /** The next cell. */
  push(start: number, end: number, form: number): void {
    this.put(this.count++, start, end, form);
  }

  put(column: number, start: number, end: number, form: number): void {
    if (column >= this.starts.length) this.#grow(column + 1);
    this.starts[column] = start;
    this.ends[column] = end;
    this.forms[column] = form;
  }

  /** As many, none of them there. */
  clear(count: number): void {
    if (count > this.starts.length) this.#grow(count);
    this.count = count;
    this.starts.fill(0, 0, count);
    this.ends.fill(0, 0, count);
    this.forms.fill(ABSENT, 0, count);
  }

  #grow(count: number): void {
    const length = Math.max(count, 2 * this.starts.length);
    const larger = (from: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> => {
      const to = new Int32Array(length);
      to.set(from);
      return to;
    };
    this.starts = larger(this.starts);
    this.ends = larger(this.ends);
    const forms = new Uint8Array(length);
    forms.set(this.forms);
    this.forms = forms;
  }
}

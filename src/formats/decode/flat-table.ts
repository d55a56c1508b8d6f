/**
 * Tables of FlatBuffers as Arrow's messages have them (https://flatbuffers.dev/internals), read in place. Hazard: the bytes
 * come from anybody. What they refer to beyond their end is a RangeError, and lists are no longer than the bytes.
 */
export class FlatTable {
  readonly #view: DataView;
  readonly #at: number;
  readonly #slots: number;
  readonly #slotBytes: number;

  private constructor(view: DataView, at: number) {
    this.#view = view;
    this.#at = at;
    this.#slots = at - view.getInt32(at, true);
    this.#slotBytes = view.getUint16(this.#slots, true);
  }

  static root({ buffer, byteOffset, byteLength }: Uint8Array): FlatTable {
    const view = new DataView(buffer, byteOffset, byteLength);
    return new FlatTable(view, view.getUint32(0, true));
  }

  /** Where the value of a slot stands; undefined where there is none. */
  #place(slot: number): number | undefined {
    const entry = 4 + 2 * slot;
    if (entry + 2 > this.#slotBytes) return undefined;
    const offset = this.#view.getUint16(this.#slots + entry, true);
    return offset === 0 ? undefined : this.#at + offset;
  }

  byte(slot: number, absent = 0): number {
    const place = this.#place(slot);
    return place === undefined ? absent : this.#view.getUint8(place);
  }

  short(slot: number, absent = 0): number {
    const place = this.#place(slot);
    return place === undefined ? absent : this.#view.getInt16(place, true);
  }

  int(slot: number, absent = 0): number {
    const place = this.#place(slot);
    return place === undefined ? absent : this.#view.getInt32(place, true);
  }

  long(slot: number): number {
    const place = this.#place(slot);
    return place === undefined ? 0 : longAt(this.#view, place);
  }

  has(slot: number): boolean {
    return this.#place(slot) !== undefined;
  }

  table(slot: number): FlatTable | undefined {
    const place = this.#place(slot);
    return place === undefined ? undefined : this.#tableAt(place);
  }

  tables(slot: number): FlatTable[] {
    const { start, count } = this.#list(slot, 4);
    return Array.from({ length: count }, (_, i) => this.#tableAt(start + 4 * i));
  }

  /** Of a list of 64-bit integers, or of structures of so many. */
  longs(slot: number, each = 1): Float64Array {
    const { start, count } = this.#list(slot, 8 * each);
    return Float64Array.from({ length: each * count }, (_, i) => longAt(this.#view, start + 8 * i));
  }

  text(slot: number): string {
    const { start, count } = this.#list(slot, 1);
    return Buffer.from(this.#view.buffer, this.#view.byteOffset + start, count).toString();
  }

  #tableAt(place: number): FlatTable {
    return new FlatTable(this.#view, place + this.#view.getUint32(place, true));
  }

  #list(slot: number, itemBytes: number): { readonly start: number; readonly count: number } {
    const place = this.#place(slot);
    if (place === undefined) return { start: 0, count: 0 };
    const start = place + this.#view.getUint32(place, true) + 4;
    const count = this.#view.getUint32(start - 4, true);
    if (start + count * itemBytes > this.#view.byteLength) throw new RangeError('a list is longer than its message');
    return { start, count };
  }
}

/** @throws RangeError for what no file has */
function longAt(view: DataView, at: number): number {
  const value = Number(view.getBigInt64(at, true));
  if (!Number.isSafeInteger(value)) throw new RangeError('a number is beyond 2^53');
  return value;
}

/**
 * The part of FlatBuffers that Arrow's messages need: tables, vectors and texts, written from the end to the front
 * (https://flatbuffers.dev/internals). Every value of a table is written, defaults too.
 */

/** A value of a table: a number of so many bytes, or a reference to what was written before. */
export type FlatValue =
  | { readonly bytes: 1 | 2 | 4; readonly value: number }
  | { readonly bytes: 8; readonly value: bigint }
  | { readonly reference: number };

export class FlatBuffer {
  #bytes: Buffer;
  /** Bytes that are written, which stand at the end. */
  #used = 0;
  #alignment = 1;

  /** @param bytes that it may come to; it grows where they are too few */
  constructor(bytes = 1024) {
    this.#bytes = Buffer.alloc(bytes);
  }

  /** @param values by their slot; undefined where there is none */
  table(values: readonly (FlatValue | undefined)[]): number {
    const start = this.#used;
    const slots = values.map(value => {
      if (!value) return 0;
      if ('reference' in value) this.#reference(value.reference);
      else this.#number(value);
      return this.#used;
    });
    this.#number({ bytes: 4, value: 0 });
    const table = this.#used;
    for (const slot of slots.toReversed()) this.#number({ bytes: 2, value: slot === 0 ? 0 : table - slot });
    this.#number({ bytes: 2, value: table - start });
    this.#number({ bytes: 2, value: 4 + 2 * slots.length });
    this.#bytes.writeInt32LE(this.#used - table, this.#bytes.length - table);
    return table;
  }

  references(items: readonly number[]): number {
    this.#prepare(4, 4 * items.length);
    for (const item of items.toReversed()) this.#reference(item);
    this.#number({ bytes: 4, value: items.length });
    return this.#used;
  }

  /** Structures of two 64-bit integers each. */
  pairs(items: readonly (readonly [number, number])[]): number {
    this.#prepare(4, 16 * items.length);
    this.#prepare(8, 16 * items.length);
    // A batch may have thousands: without an object for each.
    let at = this.#bytes.length - this.#used;
    for (let i = items.length - 1; i >= 0; i--) {
      const [first, second] = items[i]!;
      at = this.#count(first, this.#count(second, at - 8) - 8);
    }
    this.#used += 16 * items.length;
    this.#number({ bytes: 4, value: items.length });
    return this.#used;
  }

  text(text: string): number {
    const bytes = Buffer.from(`${text}\0`);
    this.#prepare(4, bytes.length);
    this.#used += bytes.length;
    this.#bytes.set(bytes, this.#bytes.length - this.#used);
    this.#number({ bytes: 4, value: bytes.length - 1 });
    return this.#used;
  }

  /** All of it, from the reference to its root on. */
  finish(root: number): Uint8Array {
    this.#prepare(this.#alignment, 4);
    this.#reference(root);
    return this.#bytes.subarray(this.#bytes.length - this.#used);
  }

  /** An integer of 64 bits, at a place. @returns the place */
  #count(value: number, at: number): number {
    this.#bytes.writeUInt32LE(value % 2 ** 32, at);
    this.#bytes.writeUInt32LE(Math.floor(value / 2 ** 32), at + 4);
    return at;
  }

  #reference(target: number): void {
    this.#prepare(4, 0);
    this.#number({ bytes: 4, value: this.#used - target + 4 });
  }

  #number(number: Exclude<FlatValue, { reference: number }>): void {
    this.#prepare(number.bytes, 0);
    this.#used += number.bytes;
    const at = this.#bytes.length - this.#used;
    if (number.bytes === 8) this.#bytes.writeBigInt64LE(number.value, at);
    else this.#bytes.writeIntLE(number.value, at, number.bytes);
  }

  /** Pads so that what comes after so many bytes more is aligned, and makes room. */
  #prepare(alignment: number, following: number): void {
    this.#alignment = Math.max(this.#alignment, alignment);
    const padding = (alignment - ((this.#used + following) % alignment)) % alignment;
    while (this.#used + padding + following + 16 > this.#bytes.length) {
      const larger = Buffer.alloc(2 * this.#bytes.length);
      this.#bytes.copy(larger, larger.length - this.#used, this.#bytes.length - this.#used);
      this.#bytes = larger;
    }
    this.#used += padding;
    this.#bytes.fill(0, this.#bytes.length - this.#used, this.#bytes.length - this.#used + padding);
  }
}

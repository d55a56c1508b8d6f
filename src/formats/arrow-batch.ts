/**
 * Rows of packed little-endian elements as the body of a record batch: for each field, in order, its buffers, each
 * padded to eight bytes. Hazard: nothing checks for room.
 */
import { NAT, type TextDType } from '../dtype/index.js';
import type { ArrowField, ArrowType } from './arrow-types.js';
import {
  columnBytes,
  copyBits,
  copyItems,
  copyText,
  eachPlace,
  fittingCount,
  lengthOf,
  type ColumnSource,
  type ColumnTarget,
  type Places,
} from './column-items.js';

export class ArrowBatch {
  readonly nodes: [number, number][] = [];
  readonly buffers: [number, number][] = [];
  readonly #source: ColumnSource;
  readonly #target: ColumnTarget;
  readonly #start: number;
  #at: number;

  /** @param start where the body begins in the target */
  constructor(source: Uint8Array, target: Uint8Array, start: number) {
    this.#source = columnBytes(source);
    this.#target = columnBytes(target);
    this.#start = this.#at = start;
  }

  get bytes(): number {
    return this.#at - this.#start;
  }

  add({ type, children, offset }: ArrowField, { axes, offset: from }: Places): void {
    const places = { axes, offset: from + offset };
    const length = lengthOf(places);
    const node: [number, number] = [length, 0];
    this.nodes.push(node);
    if (type.kind === 'list') {
      this.#buffer(0);
      const inner = { axes: [...axes, { length: type.length, stride: type.stride }], offset: places.offset };
      for (const child of children) this.add(child, inner);
    } else if (type.kind === 'struct') {
      this.#buffer(0);
      for (const child of children) this.add(child, places);
    } else if ('factor' in type) node[1] = this.#times(type, places, length);
    else {
      this.#buffer(0);
      if (type.kind === 'bool') this.#bits(places, place => this.#source.bytes[place] !== 0);
      else if (type.kind === 'utf8') this.#texts(type.dtype as TextDType, places, length);
      else this.#buffer(copyItems(this.#source, places, type.dtype.itemsize, this.#target, this.#at) - this.#at);
    }
  }

  /** Notes a buffer that was written, and pads it. */
  #buffer(bytes: number): void {
    this.buffers.push([this.bytes, bytes]);
    const end = this.#at + bytes;
    this.#at = this.#start + Math.ceil((end - this.#start) / 8) * 8;
    this.#target.bytes.fill(0, end, this.#at);
  }

  #bits(places: Places, isSet: (place: number) => boolean): void {
    this.#buffer(copyBits(places, isSet, this.#target, this.#at) - this.#at);
  }

  /** Which are there, then the counts, those that are not as zero. @returns how many are not */
  #times(type: Extract<ArrowType, { factor: bigint }>, places: Places, length: number): number {
    const { view: from } = this.#source;
    const { view: to } = this.#target;
    this.#bits(places, place => from.getBigInt64(place, true) !== NAT);
    let missing = 0;
    let at = this.#at;
    const isDate = type.kind === 'date';
    eachPlace(places, place => {
      let count = from.getBigInt64(place, true);
      if (count === NAT) {
        missing++;
        count = 0n;
      } else count = fittingCount(count * type.factor, isDate ? 32 : 64, type.dtype.name);
      if (isDate) to.setInt32(at, Number(count), true);
      else to.setBigInt64(at, count, true);
      at += isDate ? 4 : 8;
    });
    this.#buffer(length * (isDate ? 4 : 8));
    return missing;
  }

  /** Where each text begins, then all of them as UTF-8. */
  #texts(dtype: TextDType, places: Places, length: number): void {
    const { bytes, view } = this.#target;
    const offsets = this.#at;
    const data = offsets + Math.ceil((4 * (length + 1)) / 8) * 8;
    let i = 0;
    let at = data;
    view.setInt32(offsets, 0, true);
    eachPlace(places, place => {
      at = copyText(dtype, this.#source, place, bytes, at);
      view.setInt32(offsets + 4 * ++i, at - data, true);
    });
    bytes.fill(0, offsets + 4 * (length + 1), data);
    this.#buffer(4 * (length + 1));
    this.#buffer(at - data);
  }
}

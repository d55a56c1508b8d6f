/**
 * Rows of packed little-endian elements as the body of a record batch: for each field, in order, its buffers, each
 * padded to eight bytes. Hazard: nothing checks for room.
 */
import { isCodePoint, NAT, REPLACEMENT, textLength, type TextDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import type { ArrowField, ArrowType } from './arrow-types.js';
import { writeUtf8 } from './utf8.js';

/** Where the elements of a field stand: so many along each axis, in C order. */
interface Places {
  readonly axes: readonly { readonly length: number; readonly stride: number }[];
  readonly offset: number;
}

export class ArrowBatch {
  readonly nodes: [number, number][] = [];
  readonly buffers: [number, number][] = [];
  readonly #source: Uint8Array;
  readonly #view: DataView;
  readonly #target: Uint8Array;
  readonly #out: DataView;
  readonly #start: number;
  #at: number;

  /** @param start where the body begins in the target */
  constructor(source: Uint8Array, target: Uint8Array, start: number) {
    this.#source = source;
    this.#view = new DataView(source.buffer, source.byteOffset, source.byteLength);
    this.#target = target;
    this.#out = new DataView(target.buffer, target.byteOffset, target.byteLength);
    this.#start = this.#at = start;
  }

  get bytes(): number {
    return this.#at - this.#start;
  }

  add({ type, children, offset }: ArrowField, { axes, offset: from }: Places): void {
    const places = { axes, offset: from + offset };
    const length = axes.reduce((size, axis) => size * axis.length, 1);
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
      if (type.kind === 'bool') this.#bits(places, length);
      else if (type.kind === 'utf8') this.#texts(type.dtype as TextDType, places, length);
      else this.#items(type.dtype.itemsize, places, length);
    }
  }

  /** Notes a buffer that was written, and pads it. */
  #buffer(bytes: number): void {
    this.buffers.push([this.bytes, bytes]);
    const end = this.#at + bytes;
    this.#at = this.#start + Math.ceil((end - this.#start) / 8) * 8;
    this.#target.fill(0, end, this.#at);
  }

  #items(itemsize: number, places: Places, length: number): void {
    const [source, target, from, to] = [this.#source, this.#target, this.#view, this.#out];
    let at = this.#at;
    eachPlace(places, place => {
      if (itemsize === 8) to.setBigUint64(at, from.getBigUint64(place, true), true);
      else if (itemsize === 4) to.setUint32(at, from.getUint32(place, true), true);
      else if (itemsize === 2) to.setUint16(at, from.getUint16(place, true), true);
      else if (itemsize === 1) target[at] = source[place]!;
      else target.set(source.subarray(place, place + itemsize), at);
      at += itemsize;
    });
    this.#buffer(length * itemsize);
  }

  #bits(places: Places, length: number): void {
    const bytes = Math.ceil(length / 8);
    this.#target.fill(0, this.#at, this.#at + bytes);
    let i = 0;
    eachPlace(places, place => {
      if (this.#source[place]! !== 0) this.#target[this.#at + (i >> 3)]! |= 1 << (i & 7);
      i++;
    });
    this.#buffer(bytes);
  }

  /** Which are there, then the counts, those that are not as zero. @returns how many are not */
  #times(type: Extract<ArrowType, { factor: bigint }>, places: Places, length: number): number {
    const validity = this.#at;
    const bytes = Math.ceil(length / 8);
    this.#target.fill(0, validity, validity + bytes);
    let i = 0;
    eachPlace(places, place => {
      if (this.#view.getBigInt64(place, true) !== NAT) this.#target[validity + (i >> 3)]! |= 1 << (i & 7);
      i++;
    });
    this.#buffer(bytes);
    let missing = 0;
    let at = this.#at;
    const isDate = type.kind === 'date';
    eachPlace(places, place => {
      let count = this.#view.getBigInt64(place, true);
      if (count === NAT) {
        missing++;
        count = 0n;
      } else count = fitting(count * type.factor, isDate ? 32 : 64, type.dtype.name);
      if (isDate) this.#out.setInt32(at, Number(count), true);
      else this.#out.setBigInt64(at, count, true);
      at += isDate ? 4 : 8;
    });
    this.#buffer(length * (isDate ? 4 : 8));
    return missing;
  }

  /** Where each text begins, then all of them as UTF-8. */
  #texts(dtype: TextDType, places: Places, length: number): void {
    const offsets = this.#at;
    const data = offsets + Math.ceil((4 * (length + 1)) / 8) * 8;
    let i = 0;
    let at = data;
    this.#out.setInt32(offsets, 0, true);
    eachPlace(places, place => {
      const characters = textLength(dtype, this.#source, place);
      for (let j = 0; j < characters; j++) {
        const point = dtype.kind === 'S' ? this.#source[place + j]! : this.#view.getUint32(place + 4 * j, true);
        at = writeUtf8(isCodePoint(point) ? point : REPLACEMENT, this.#target, at);
      }
      this.#out.setInt32(offsets + 4 * ++i, at - data, true);
    });
    this.#target.fill(0, offsets + 4 * (length + 1), data);
    this.#buffer(4 * (length + 1));
    this.#buffer(at - data);
  }
}

function eachPlace({ axes, offset }: Places, take: (place: number) => void, depth = 0): void {
  const axis = axes[depth];
  if (!axis) return take(offset);
  const { length, stride } = axis;
  if (depth === axes.length - 1) for (let i = 0, place = offset; i < length; i++, place += stride) take(place);
  else for (let i = 0; i < length; i++) eachPlace({ axes, offset: offset + i * stride }, take, depth + 1);
}

function fitting(count: bigint, bits: number, name: string): bigint {
  if (BigInt.asIntN(bits, count) === count) return count;
  return fail(
    'would_lose',
    `A value of ${name} is beyond what Arrow's ${bits} bits hold. Convert it with dtype=, or ask for format=npy, raw or json.`,
    { dtype: name, value: String(count) },
  );
}

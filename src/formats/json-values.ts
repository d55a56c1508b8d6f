/** Arrays of numbers from JSON: the growing buffer that elements go into. */
import { isNativeOrder, withByteOrder, type NumberDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { toFloat16Bits } from '../float16.js';
import { swapBytes, toNative } from '../native.js';
import { NumberReader } from './json-numbers.js';
import type { JsonScanner } from './json-scan.js';
import type { NumberStore } from './number-store.js';

const CAPACITY_MIN = 16;

/** Where the elements of nested lists go, whatever they are. */
export interface ElementSink {
  /** Whether the bracket that comes next opens a list of elements, and not an element. */
  opensList(): boolean;
  /** Reads the element that begins at the scanner's position, or goes on with it: false where a turn ended inside. */
  readElement(turnEnd: number): boolean;
  /** The elements, packed, in the dtype's byte order. */
  finish(): Uint8Array;
}

/** Reads numbers from a scanner into a packed buffer that grows by doubling. */
export class NumberSink implements ElementSink {
  readonly #dtype: NumberDType;
  readonly #reader: NumberReader;
  /** Every element takes at least two bytes of text: a digit and what follows it. */
  readonly #capacityMax: number;
  #capacity: number;
  #count = 0;
  #bytes: Uint8Array;

  constructor(dtype: NumberDType, scanner: JsonScanner) {
    this.#dtype = dtype;
    const textBytes = scanner.bytes.length;
    this.#capacityMax = Math.floor(textBytes / 2) + 1;
    this.#capacity = Math.min(this.#capacityMax, CAPACITY_MIN + Math.floor(textBytes / 8));
    this.#bytes = new Uint8Array(this.#capacity * dtype.itemsize);
    const refuse = (why: string): never => {
      const value = scanner.shownToken();
      const index = this.#count;
      const detail = `${dtype.name} cannot hold ${value}, element ${index}: ${why}.`;
      return fail('would_lose', detail, { position: scanner.start, index, value, dtype: dtype.typestr });
    };
    this.#reader = new NumberReader(dtype, scanner, storeInto(dtype, this.#bytes), refuse);
  }

  opensList(): boolean {
    return true;
  }

  readElement(): boolean {
    if (this.#count === this.#capacity) this.#grow();
    this.#reader.read(this.#count);
    this.#count++;
    return true;
  }

  finish(): Uint8Array {
    const length = this.#count * this.#dtype.itemsize;
    const bytes = length === this.#bytes.length ? this.#bytes : this.#bytes.slice(0, length);
    if (!isNativeOrder(this.#dtype)) swapBytes(bytes, this.#dtype.itemsize);
    return bytes;
  }

  #grow(): void {
    this.#capacity = Math.min(this.#capacityMax, this.#capacity * 2);
    const larger = new Uint8Array(this.#capacity * this.#dtype.itemsize);
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#reader.store = storeInto(this.#dtype, larger);
  }
}

/** Stores by index, in the machine's own byte order. */
function storeInto(dtype: NumberDType, bytes: Uint8Array): NumberStore {
  const { buffer } = bytes;
  const view = new DataView(buffer);
  const putExact = (index: number, value: bigint): void => view.setBigInt64(8 * index, BigInt.asIntN(64, value), true);
  if (dtype.name === 'float16') {
    const halves = new Uint16Array(buffer);
    return {
      put: (index, value) => {
        halves[index] = toFloat16Bits(value);
      },
      putExact,
    };
  }
  if (dtype.name === 'int64' || dtype.name === 'uint64') {
    const words = new Uint32Array(buffer);
    return {
      put: (index, value) => {
        words[2 * index] = value;
        words[2 * index + 1] = Math.floor(value / 2 ** 32);
      },
      putExact,
    };
  }
  // A fresh buffer is aligned and nothing is swapped, so this looks at it in place.
  const items = toNative(withByteOrder(dtype, '<'), bytes);
  return {
    put: (index, value) => {
      items[index] = value;
    },
    putExact,
  };
}

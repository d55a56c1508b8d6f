/** Arrays of what are no numbers from JSON: every item is read into its place in one block, which does not grow. */
import { type DType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';
import type { ItemContext } from './json-item-place.js';
import { itemReader, type ItemReader } from './json-item-readers.js';
import type { JsonScanner } from './json-scan.js';
import { jsonItemSize } from './json-size.js';
import type { ElementSink } from './json-values.js';

const OPEN_LIST = 0x5b;
const CLOSE_LIST = 0x5d;

/**
 * Bytes of the block that a JSON text of so many bytes may become, at most. Its zeros are no memory before they are written
 * over. @throws unsupported_dtype
 */
export function jsonBlockBytesMax(dtype: DType, textBytes: number): number {
  const itemsMax = Math.floor(textBytes / (jsonItemSize(dtype).textMin + 1)) + 1;
  return Math.min(itemsMax * dtype.itemsize, LIMITS.jsonBlockBytesMax);
}

export class ItemSink implements ElementSink {
  readonly #dtype: DType;
  readonly #context: ItemContext;
  readonly #reader: ItemReader;
  readonly #isPair: boolean;
  /** Of a long item that is under way. */
  #steps: Generator<void, void> | undefined;

  constructor(dtype: DType, scanner: JsonScanner) {
    this.#dtype = dtype;
    this.#isPair = dtype.kind === 'c';
    const bytes = new Uint8Array(jsonBlockBytesMax(dtype, scanner.bytes.length));
    this.#context = { scanner, buffer: { bytes, view: new DataView(bytes.buffer) }, index: 0 };
    this.#reader = itemReader({ context: this.#context, path: [], dtype });
  }

  /** Of complex numbers, a list that begins with neither list nor end is a pair. */
  opensList(): boolean {
    if (!this.#isPair) return true;
    const { scanner } = this.#context;
    const { at } = scanner;
    scanner.at++;
    const next = scanner.peek();
    scanner.at = at;
    return next === OPEN_LIST || next === CLOSE_LIST;
  }

  readElement(turnEnd: number): boolean {
    const { scanner, index } = this.#context;
    const offset = index * this.#dtype.itemsize;
    if ('read' in this.#reader) {
      this.#checkRoom(offset);
      this.#reader.read(offset);
    } else {
      if (!this.#steps) this.#checkRoom(offset);
      this.#steps ??= this.#reader.steps(offset);
      while (!this.#steps.next().done) if (scanner.at >= turnEnd) return false;
      this.#steps = undefined;
    }
    this.#context.index++;
    return true;
  }

  finish(): Uint8Array {
    const { bytes } = this.#context.buffer;
    const length = this.#context.index * this.#dtype.itemsize;
    // A small part of a large buffer would be sent to a worker with all of it.
    return length <= LIMITS.pieceBytesMax ? bytes.slice(0, length) : bytes.subarray(0, length);
  }

  #checkRoom(offset: number): void {
    if (offset + this.#dtype.itemsize <= this.#context.buffer.bytes.length) return;
    const limit = LIMITS.jsonBlockBytesMax;
    fail(
      'too_large',
      `The values take more than ${limit} bytes as ${this.#dtype.name}, the most that JSON is read into. Send raw or npy, or smaller slices.`,
      { limit, dtype: this.#dtype.typestr },
    );
  }
}

/** A block: the packed, C-order result of a selection. Its bytes are in the dtype's own byte order. */
import type { DType } from './dtype/index.js';

export interface Block {
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** `sizeOf(shape) * dtype.itemsize` bytes, C order. Alignment is not promised. */
  readonly bytes: Uint8Array;
}

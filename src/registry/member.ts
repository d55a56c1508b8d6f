/** What a container says of an array in it. */
import type { DType } from '../dtype/index.js';
import type { Order } from '../layout/view.js';

/** Where an array lies in its container. */
export interface MemberArray {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly order: Order;
  /** Bytes of the file before the first element. */
  readonly offset: number;
}

/** What an index names. */
export interface Member {
  readonly name: string;
  /** What it is. @throws compressed, unsupported_dtype, bad_container, bad_npy, bad_shape, too_large */
  readonly array: () => Promise<MemberArray>;
}

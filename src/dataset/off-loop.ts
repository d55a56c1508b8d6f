/** Work that is too long for the event loop. The worker pool implements it; this room only says what it needs. */
import type { SourceDescriptor } from '../descriptor.js';
import type { View } from '../layout/view.js';

export interface ScatterTask {
  readonly fd: number;
  readonly target: View;
  readonly itemsize: number;
  readonly bytes: Uint8Array;
  /** Where in `bytes` the elements of `target` stand; strides may be zero. */
  readonly source: View;
}

export interface OffLoop {
  /** Fills `out`, which is shared memory, with the packed C-order bytes of a view. */
  gather(source: SourceDescriptor, view: View, itemsize: number, out: Uint8Array): Promise<void>;
  /** Writes every element of the target. */
  scatter(task: ScatterTask): Promise<void>;
}

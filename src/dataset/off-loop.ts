/** Work that is too long for the event loop. The worker pool implements it; this room only says what it needs. */
import type { ConversionSpec } from '../convert/index.js';
import type { SourceDescriptor } from '../descriptor.js';
import type { Client } from '../fair-line.js';
import type { Change } from '../file/change.js';
import type { View } from '../layout/view.js';

export interface ScatterTask extends Change {
  readonly fd: number;
}

/** Packed items in shared memory, and where they go. */
export interface ConvertTask {
  readonly spec: ConversionSpec;
  readonly source: Uint8Array;
  readonly target: Uint8Array;
  /** Items before these in the whole, for messages. */
  readonly first: number;
}

export type HoldTask = Pick<ScatterTask, 'fd' | 'target' | 'itemsize'>;

/** A part of something large leaves a worker to what others wait for. */
export type Portion = 'all of it' | 'a part';

export interface OffLoop {
  /** Whose work it is. */
  readonly client: Client | undefined;
  /** Fills `out`, which is shared memory, with the packed C-order bytes of a view; gives up when `signal` fires. @throws cancelled */
  gather(source: SourceDescriptor, view: View, itemsize: number, out: Uint8Array, signal?: AbortSignal): Promise<void>;
  /** Converts every item of the source. @throws would_lose */
  convert(task: ConvertTask): Promise<void>;
  /** Puts a change of elements that were chosen one by one into the order of the file. */
  arrange(change: Change): Promise<Change>;
  /** Writes every element of the target. */
  scatter(task: ScatterTask, share: Portion): Promise<void>;
  /** Makes sure that writing the target finds room on the disk. @throws ENOSPC */
  hold(task: HoldTask, share: Portion): Promise<void>;
}

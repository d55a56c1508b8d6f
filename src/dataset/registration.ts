/** What stands beside a dataset and outlives changes of its record. */
import { HyperslabError } from '../errors.js';
import type { FileIdentity } from '../file/open-file.js';
import type { PrivatePages } from '../file/private-pages.js';
import type { DatasetRecord } from './record.js';

export type DatasetState =
  'ready' | 'missing' | 'denied' | 'truncated' | 'changed' | 'bulk_load' | 'durability_unknown' | 'quarantined';

/**
 * Compares what a file says of its array with the record; the registry provides it, since formats stand above this room.
 * The head of a file is in memory and looked at between two steps; the index of a container may stand anywhere in it.
 */
export interface ContentCheck {
  /**
   * The shape that the head gives the array, where all but the length of the axis that grows is as in the record; undefined
   * where it is another array.
   */
  readonly head: (head: Uint8Array, record: DatasetRecord) => readonly number[] | undefined;
  readonly member: (fd: number, record: DatasetRecord) => Promise<boolean>;
}

/** The array has another length than when the call looked at it: it has to look again. */
export class LengthMoved extends HyperslabError {
  constructor(shape: readonly number[]) {
    super(
      'moved',
      `The array has changed its length while the request was read; it has the shape [${shape.join(', ')}] now. Repeat the request.`,
      { shape },
    );
  }
}

/** A file of an array in several, as it was when it was last opened or missed. */
export interface PartLook {
  readonly device: number;
  readonly inode: number;
  readonly ctimeMs: number;
  readonly bytes: number;
  readonly generation: number;
  /** Its times are old enough to tell the next change. */
  readonly isSettled: boolean;
  readonly fault: HyperslabError | undefined;
}

/** Whether a registration still stands. It outlives changes of its record; whoever holds an old record sees it too. */
export interface Registration {
  isForgotten: boolean;
  /** The file that was read or written last. Whoever reads another one is told so first. */
  seen?: FileIdentity | undefined;
  /** The dataset is taking on another header. */
  learning?: Promise<boolean> | undefined;
  /** How often the service has changed the length of the array, and the shape that it has now. */
  growths?: number;
  shape?: readonly number[];
  /** Of an array in several files: how each was last seen, by its file id. */
  looks?: Map<string, PartLook>;
  /** Of mode c: what was written to it. */
  pages?: PrivatePages | undefined;
}

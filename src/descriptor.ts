/** Plain data that crosses threads: where the bytes of a file can be had by somebody who did not open it. */

export interface SourceDescriptor {
  /** The descriptor, shared by all threads of the process; whoever lent it keeps it open. */
  readonly fd: number;
  /** Mapped windows that hold every span that will be asked for; empty means positional reads. */
  readonly windows: readonly WindowDescriptor[];
  /** True where the kernel tells this user truly which pages are in memory. */
  readonly residencyTrusted: boolean;
  /**
   * Names the file's bytes among all files, where only this service writes them, so that a worker may map and keep them:
   * a file that another program truncates would kill whoever touches it.
   */
  readonly keptAs?: string | undefined;
  /** What stood in the file before later writes, in place of what stands there now: ascending, not overlapping. */
  readonly patches?: readonly Patch[];
  /** Over all of it, what a dataset of mode c has written in memory. */
  readonly pages?: PageTable | undefined;
}

export interface WindowDescriptor {
  /** Position in the file. */
  readonly start: number;
  readonly length: number;
  readonly address: number;
  /** The bytes themselves, where they can be sent; else whoever reads them makes a view of the address. */
  readonly bytes: Uint8Array | undefined;
}

/** Earlier bytes of a file, in shared memory. */
export interface Patch {
  /** Position in the file. */
  readonly start: number;
  readonly bytes: Uint8Array;
}

/**
 * Pages of a file that were copied at a write, in shared memory; other bytes are those of the file. Never changed once it
 * is made: a write makes another table. Example: numbers [2, 7], slots [0, 300] says that bytes 8,192 to 12,287 of the file
 * stand at the beginning of the first arena, and page 7 in the second one, where arenas have 256 slots.
 */
export interface PageTable {
  /** Positions in the file by the size of a page, ascending. */
  readonly numbers: Float64Array;
  /** Where the bytes of each page stand, counted over all arenas. */
  readonly slots: Int32Array;
  /** Of LIMITS.arenaPages pages each. */
  readonly arenas: readonly Uint8Array[];
}

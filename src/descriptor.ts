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
  /** Of several files that are read as one, instead of `fd`. */
  readonly parts?: PartTable | undefined;
  /** Over all of it, what a dataset of mode c has written in memory. */
  readonly pages?: PageTable | undefined;
}

/**
 * Files whose rows follow each other, as JSON in shared memory: thousands of them cost a message nothing. A thread reads the
 * table once, and finds it by its number.
 */
export interface PartTable {
  readonly id: number;
  /** A PartList. */
  readonly json: Uint8Array;
}

/** Bytes of the whole are those of rows in C order; of part 0 first. */
export interface PartList {
  readonly itemsize: number;
  /** Of one row. */
  readonly rowShape: readonly number[];
  /** Ascending, without gaps. */
  readonly parts: readonly PartRow[];
}

export interface PartRow {
  /** As clients know it. */
  readonly name: string;
  readonly path: string;
  /** Which file it has to be. */
  readonly device: number;
  readonly inode: number;
  /** Position of its first byte in the whole. */
  readonly start: number;
  readonly rows: number;
  readonly order: 'C' | 'F';
  /** Position of its first byte in its file. */
  readonly offset: number;
  /** Why it cannot be read. */
  readonly fault?: { readonly code: string; readonly detail: string; readonly reason?: unknown } | undefined;
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

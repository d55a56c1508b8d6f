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

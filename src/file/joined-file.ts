/**
 * Several files that are read as one (layout/part-views.ts): it has a lock, snapshots and a log of changes of its own, in
 * positions of the whole, and no descriptor. Workers read its bytes by the table of its parts. Who writes goes to the
 * parts themselves.
 */
import type { PartTable, SourceDescriptor } from '../descriptor.js';
import type { FileState } from './file-state.js';
import type { FrozenFile, OpenFile } from './open-file.js';
import { failForgotten } from './refusals.js';

/** What it is made of. */
export interface Joining {
  readonly state: FileState;
  readonly bytes: number;
  readonly isForgotten: () => boolean;
  /** Names of the parts that hold `[start, end)`, as they were last looked at. */
  readonly table: (start: number, end: number) => PartTable;
  /** Moves with every change of these bytes that was not made through the whole. */
  readonly foreignMoves: () => number;
  /** Reads bytes of the parts themselves. */
  readonly read: (start: number, into: Uint8Array) => Promise<void>;
}

const nothing = (): void => {};
const NO_HEAD = { bytes: new Uint8Array(0) };

export class JoinedFile implements OpenFile {
  readonly #joining: Joining;
  readonly fd = -1;
  readonly realPath = '';
  readonly writable = true;
  readonly isJoined = true;
  readonly identity = { dev: 0n, ino: 0n };
  readonly sendsMapped = false;
  readonly gapsOfOthers = undefined;
  readonly pages = undefined;
  readonly hasUnseenChange = false;
  readonly changesNoticed = 0;
  readonly isYoung = false;
  readonly isDropped = false;
  readonly windowCount = 0;
  readonly isIdle = true;
  readonly head = NO_HEAD;
  readonly givesBack = false;

  constructor(joining: Joining) {
    this.#joining = joining;
  }

  get state(): FileState {
    return this.#joining.state;
  }

  get keptAs(): string {
    return this.state.fileId;
  }

  /** The time is a number that moves with what others do. */
  get stamp(): OpenFile['stamp'] {
    return { ...this.identity, ctimeMs: this.#joining.foreignMoves(), bytes: this.#joining.bytes };
  }

  extent(): { bytes: number; isSparse: boolean } {
    return { bytes: this.#joining.bytes, isSparse: false };
  }

  verify(): number {
    return this.#joining.bytes;
  }

  headOf(): { readonly bytes: Uint8Array } {
    return NO_HEAD;
  }

  readonly recheck = nothing;
  readonly retire = nothing;
  readonly giveBack = nothing;

  /** The parts have times of their own. */
  noteOwnWrite(): void {
    this.state.isWriting = false;
  }

  /** Nothing is held open. */
  lease(): () => void {
    return nothing;
  }

  frozen(): FrozenFile {
    return { file: this, release: nothing };
  }

  checkWritable(): void {
    if (this.#joining.isForgotten()) failForgotten();
    this.state.checkUsable();
  }

  read(start: number, into: Uint8Array): Promise<void> {
    return this.#joining.read(start, into);
  }

  readPiece(start: number, into: Uint8Array): Promise<void> {
    return this.#joining.read(start, into);
  }

  readNow(): undefined {}

  residentSource(): undefined {}

  async populated(): Promise<undefined> {}

  residency(): undefined {}

  describe(start: number, end: number): SourceDescriptor {
    return { fd: -1, windows: [], residencyTrusted: false, parts: this.#joining.table(start, end) };
  }
}

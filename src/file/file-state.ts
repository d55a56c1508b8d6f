/**
 * What belongs to a file and outlives any one descriptor of it: who reads and writes it, its journal, and whether it may
 * be used at all. All datasets on the file share it. Plain facts; what they mean is done in the files named beside them.
 */
import { fail } from '../errors.js';
import { FairLine } from '../fair-line.js';
import { ChangeLog } from './change-log.js';
import { Cuts } from './cuts.js';
import { Scans } from './scans.js';
import type { PendingCommit } from './commit.js';
import type { HeadKind } from './head.js';
import type { Journal } from './journal/journal.js';
import { ReadWriteLock } from './lock.js';
import { PreImages } from './pre-images.js';
import type { OpenFile } from './open-file.js';
import { bulkLoadError, failDamaged, failForgotten } from './refusals.js';
import { Turnstile } from './turnstile.js';

export class FileState {
  readonly fileId: string;
  readonly lock = new ReadWriteLock();
  /** Counts writes when they begin: an answer that sees it move has mixed generations. */
  writesStarted = 0;
  /** The same without what other programs did: answers sent in place are cut by our own writes alone. */
  ownWritesStarted = 0;
  /** A write of ours is under way: what moves the times of the file is not told apart from it. */
  isWriting = false;
  /** Its end is being moved, under the write lock: what its header and its size say is not what counts yet. */
  isMovingEnd = false;
  /** The kinds of content (head.ts) that a file began with when it was registered or written here. */
  kind: HeadKind | undefined;
  /**
   * Answers that are being sent from the mapping itself. A queued send would take up what is written under it, so the
   * first write to a file that was only read until then cuts them.
   */
  readonly inPlaceAnswers = new Set<() => void>();
  /** Whoever writes the file, empties its journal or exchanges it takes a turn here; readers do not. */
  readonly writers = new Turnstile();
  /** Commits that wait for their batch, and whether somebody takes care of them. */
  readonly commits = new FairLine<PendingCommit>();
  isCommitting = false;
  /** How long the last sync of the journal took, and how many writers were at work then. */
  lastSyncMs = 0;
  writersSeen = 0;
  /** Made at the first commit. */
  journal: Journal | undefined;
  /** Where the file ends by its journal, which was replayed and moved the end: a raw array says so nowhere else. */
  recoveredEnd: number | undefined;
  /** When the last commit was, to which descriptor, and what will empty the journal when none follows. */
  lastCommit = 0;
  lastFile: OpenFile | undefined;
  idleTimer: NodeJS.Timeout | undefined;
  /** Old bytes that answers on their way still need. */
  readonly preImages = new PreImages();
  /** Where it was cut off. */
  readonly cuts = new Cuts();
  /** Who looks at its bytes in other threads without the lock. */
  readonly scans = new Scans();
  /** What writes changed, for the statistics that run meanwhile. */
  readonly changes = new ChangeLog();
  /** A stream is being applied without a commit; nobody else gets in. */
  bulkLoading = false;
  /** Rows are being laid behind the end: others may read, and not write. */
  isLengthening = false;
  /** Written since the last sync. */
  unsynced = false;
  /** No dataset is on the file any more: who still waits for its lock must not go on. */
  isForgotten = false;
  readonly #faulty: Set<FileState>;
  #durabilityUnknown = false;
  #damage: string | undefined;

  /** @param faulty all states of files that cannot be used, among which this one puts itself */
  constructor(fileId: string, faulty = new Set<FileState>()) {
    this.fileId = fileId;
    this.#faulty = faulty;
  }

  /** Set when a sync failed: what is on disk is unknown until the process starts anew. */
  get durabilityUnknown(): boolean {
    return this.#durabilityUnknown;
  }

  set durabilityUnknown(isUnknown: true) {
    this.#durabilityUnknown = isUnknown;
    this.#faulty.add(this);
  }

  /** Set when the journal cannot be replayed: why, for the list of quarantined datasets. */
  get damage(): string | undefined {
    return this.#damage;
  }

  set damage(reason: string) {
    this.#damage = reason;
    this.#faulty.add(this);
  }

  /** A write begins: to be called under the write lock, before its first byte moves. */
  beginWrite(): void {
    this.writesStarted++;
    this.ownWritesStarted++;
    this.unsynced = true;
    for (const cut of this.inPlaceAnswers) cut();
    this.inPlaceAnswers.clear();
  }

  /** @throws file_changed, quarantined, durability_unknown, bulk_load */
  checkUsable(): void {
    if (this.isForgotten) failForgotten();
    if (this.damage !== undefined) failDamaged(this.damage);
    this.checkDurable();
    if (this.bulkLoading) throw bulkLoadError();
  }

  /** The same for who writes. @throws file_changed, quarantined, durability_unknown, bulk_load */
  checkChangeable(): void {
    this.checkUsable();
    this.checkNotLoading();
  }

  /** @throws durability_unknown */
  checkDurable(): void {
    if (this.durabilityUnknown) {
      fail(
        'durability_unknown',
        'The disk failed to confirm an earlier write to this file. Restart the service; it then serves what the disk holds.',
      );
    }
  }

  /** @throws bulk_load */
  checkNotLoading(): void {
    if (this.bulkLoading || this.isLengthening) throw bulkLoadError();
  }
}

/**
 * Files whose arrays, and so whose names, are not known before they were looked at: containers, and raw bytes beside a
 * description. Whoever needs to know all names waits for those that wait and for those that are being looked at.
 */
import { Turnstile } from '../../file/turnstile.js';
import { LIMITS } from '../../limits.js';
import type { Looker } from './looking.js';
import type { FolderFile } from './tree.js';

export class FirstLooks {
  readonly #looker: Looker;
  readonly #reads = new Turnstile(LIMITS.folderFilesReadMax);
  readonly #waiting = new Set<FolderFile>();
  readonly #underWay = new Set<Promise<void>>();

  constructor(looker: Looker) {
    this.#looker = looker;
  }

  /** It has come, or may have changed. */
  add(file: FolderFile): void {
    this.#waiting.add(file);
  }

  delete(file: FolderFile): void {
    this.#waiting.delete(file);
  }

  get isEmpty(): boolean {
    return this.#waiting.size === 0 && this.#underWay.size === 0;
  }

  /** Looks at all of them. Never throws. */
  async read(): Promise<void> {
    const files = [...this.#waiting];
    this.#waiting.clear();
    for (const file of files) {
      const reading = this.look(file).finally(() => this.#underWay.delete(reading));
      this.#underWay.add(reading);
    }
    await Promise.all(this.#underWay);
  }

  /** Looks at any file, some at a time. */
  look(file: FolderFile): Promise<void> {
    return this.#reads.run(async () => this.#looker.look(file));
  }
}

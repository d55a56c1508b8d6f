/**
 * Files that appear whole or not at all: staged under a temporary name in the same folder and synced, then renamed and
 * the folder synced. What a crash leaves behind has the temporary prefix and is removed at the next start.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { fail, systemErrorCode } from '../errors.js';
import { closeDescriptor, openDescriptor, syncAll, syncFolder, writeFully } from './io.js';

export const TEMPORARY_PREFIX = '.hyperslab-';

export interface PublishOptions {
  /** False refuses to replace a file that is there: `exists`. */
  readonly overwrite: boolean;
}

/** A whole file, on disk, that does not have its name yet. Whoever staged it must discard it at the end. */
export class StagedFile {
  readonly #temporary: string;
  readonly #target: string;
  #isPublished = false;

  constructor(temporary: string, target: string) {
    this.#temporary = temporary;
    this.#target = target;
  }

  /** True as soon as the file has its name, even if that could not be made durable. */
  get isPublished(): boolean {
    return this.#isPublished;
  }

  /** Gives the file its name, durably. @throws exists */
  async publish({ overwrite }: PublishOptions): Promise<void> {
    if (overwrite) await fs.rename(this.#temporary, this.#target);
    else {
      // link() refuses an existing name, which rename() would replace.
      await fs.link(this.#temporary, this.#target).catch(failIfExists);
      await fs.rm(this.#temporary, { force: true });
    }
    this.#isPublished = true;
    await syncFolder(path.dirname(this.#target));
  }

  /** Removes what was not published; nothing when it was. */
  async discard(): Promise<void> {
    if (!this.#isPublished) await fs.rm(this.#temporary, { force: true });
  }
}

/** Makes a file for `target` of what `fill` writes to the descriptor it is given. */
export async function stageFile(target: string, fill: (fd: number) => Promise<void>): Promise<StagedFile> {
  const temporary = path.join(path.dirname(target), `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}.tmp`);
  const fd = await openDescriptor(temporary, 'wx+', 0o644);
  try {
    try {
      await fill(fd);
      await syncAll(fd);
    } finally {
      await closeDescriptor(fd);
    }
  } catch (error) {
    await fs.rm(temporary, { force: true });
    throw error;
  }
  return new StagedFile(temporary, target);
}

export function stageText(target: string, text: string): Promise<StagedFile> {
  return stageFile(target, fd => writeFully(fd, Buffer.from(text), 0));
}

export async function writeTextAtomically(target: string, text: string): Promise<void> {
  const staged = await stageText(target, text);
  try {
    await staged.publish({ overwrite: true });
  } finally {
    await staged.discard();
  }
}

/** Deletes what an interrupted service left behind. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    if (name.startsWith(TEMPORARY_PREFIX)) await fs.rm(path.join(folder, name), { force: true });
  }
}

export function failExists(): never {
  return fail(
    'exists',
    'A file of this name exists. Register it with `path`, or replace it with mode w+ and overwrite true.',
  );
}

function failIfExists(error: unknown): never {
  if (systemErrorCode(error) === 'EEXIST') return failExists();
  throw error;
}

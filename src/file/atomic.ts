/**
 * Files that appear whole or not at all: staged under a temporary name in the same folder and synced, then renamed and
 * the folder synced. What a crash leaves behind has the temporary prefix and is removed at the next start.
 */
import fs from 'node:fs/promises';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { fail, systemErrorCode } from '../errors.js';
import { Folder } from './folder.js';
import { closeDescriptor, openDescriptor, syncAll, writeFully } from './io.js';
import { inOwnFolder } from './own-folder.js';

export const TEMPORARY_PREFIX = '.hyperslab-';

export interface PublishOptions {
  /** False refuses to replace a file that is there: `exists`. */
  readonly overwrite: boolean;
}

/** A whole file, on disk, that does not have its name yet. Whoever staged it must discard it at the end. */
export class StagedFile {
  readonly #folder: Folder;
  readonly #temporary: string;
  readonly #name: string;
  #isPublished = false;

  constructor(folder: Folder, temporary: string, name: string) {
    this.#folder = folder;
    this.#temporary = temporary;
    this.#name = name;
  }

  /** True as soon as the file has its name, even if that could not be made durable. */
  get isPublished(): boolean {
    return this.#isPublished;
  }

  /** Gives the file its name, durably. @throws exists */
  async publish({ overwrite }: PublishOptions): Promise<void> {
    const temporary = this.#folder.at(this.#temporary);
    const target = this.#folder.at(this.#name);
    if (overwrite) await fs.rename(temporary, target);
    else {
      // link() refuses an existing name, which rename() would replace.
      await fs.link(temporary, target).catch(error => failIfExists(error, target));
      await fs.rm(temporary, { force: true });
    }
    this.#isPublished = true;
    await this.#folder.sync();
  }

  /** Removes what was not published; nothing when it was. */
  async discard(): Promise<void> {
    try {
      if (!this.#isPublished) await fs.rm(this.#folder.at(this.#temporary), { force: true });
    } finally {
      await this.#folder.close();
    }
  }
}

/** Makes a file for a name in a folder of what `fill` writes to the descriptor it is given. Takes the folder over. */
async function stageIn(folder: Folder, name: string, fill: (fd: number) => Promise<void>): Promise<StagedFile> {
  const temporary = `${TEMPORARY_PREFIX}${randomBytes(8).toString('hex')}.tmp`;
  const staged = new StagedFile(folder, temporary, name);
  try {
    const fd = await openDescriptor(folder.at(temporary), 'wx+', 0o644);
    try {
      await fill(fd);
      await syncAll(fd);
    } finally {
      await closeDescriptor(fd);
    }
    return staged;
  } catch (error) {
    await staged.discard();
    throw error;
  }
}

/**
 * Makes a file for `target`, an absolute path without links. The folder is held from here on: what is put on its path
 * meanwhile has no say in where the file appears.
 */
export async function stageFile(target: string, fill: (fd: number) => Promise<void>): Promise<StagedFile> {
  return stageIn(await Folder.open(path.dirname(target)), path.basename(target), fill);
}

/** The same for a text in one of the service's own folders, which may stand behind a link. @throws data_folder_refused */
export function stageText(target: string, text: string): Promise<StagedFile> {
  return inOwnFolder(async () => {
    const folder = await Folder.open(await fs.realpath(path.dirname(target)));
    return stageIn(folder, path.basename(target), fd => writeFully(fd, Buffer.from(text), 0));
  });
}

/** Gives a staged file its name at once, in the place of whatever has it. */
export async function publishNow(staging: Promise<StagedFile>): Promise<void> {
  const staged = await staging;
  try {
    await staged.publish({ overwrite: true });
  } finally {
    await staged.discard();
  }
}

export function writeTextAtomically(target: string, text: string): Promise<void> {
  return publishNow(stageText(target, text));
}

/** Deletes what an interrupted service left behind. */
export async function removeTemporaries(folder: string): Promise<void> {
  for (const name of await fs.readdir(folder)) {
    if (name.startsWith(TEMPORARY_PREFIX)) await fs.rm(path.join(folder, name), { force: true });
  }
}

/** @param target its last part is told */
export function failExists(target: string): never {
  return fail(
    'exists',
    `The file ${JSON.stringify(path.basename(target))} exists already. Register it with "path", or replace it with "mode": "w+" and "overwrite": true.`,
  );
}

function failIfExists(error: unknown, target: string): never {
  if (systemErrorCode(error) === 'EEXIST') return failExists(target);
  throw error;
}

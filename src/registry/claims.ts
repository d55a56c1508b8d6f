/**
 * Which datasets stand on which file. A file has one writer at most; the others share its id, and with it the lock and
 * the generation. Hazard: other programs replace files, so the inode that a path once led to says little of now, and
 * two paths may lead to one inode. A file is therefore recognised by either.
 */
import fs from 'node:fs/promises';
import { fail, systemErrorCode } from '../errors.js';
import { isWritable, type DatasetRecord } from '../dataset/record.js';

/** A dataset's word on its file, given before its manifest is written, so that two at a time cannot both get it. */
export interface Claim {
  readonly name: string;
  readonly fileId: string;
  readonly path: string;
  /** `device:inode` as last seen; undefined while there is no file. Only `refresh` changes it. */
  identity: string | undefined;
  readonly writable: boolean;
}

export function claimOf(record: DatasetRecord, identity: string | undefined): Claim {
  return { name: record.name, fileId: record.fileId, path: record.path, identity, writable: isWritable(record) };
}

/** `device:inode` of what stands at a path, or undefined. */
export async function identityOf(realPath: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await fs.stat(realPath, { bigint: true });
    return `${dev}:${ino}`;
  } catch (error) {
    if (systemErrorCode(error) === undefined) throw error;
    return undefined;
  }
}

export class Claims {
  /** By name, path, identity and file id, each with its own prefix. */
  readonly #byKey = new Map<string, Set<Claim>>();

  add(claim: Claim): Claim {
    for (const key of keysOf(claim)) {
      const claims = this.#byKey.get(key);
      if (claims) claims.add(claim);
      else this.#byKey.set(key, new Set([claim]));
    }
    return claim;
  }

  drop(claim: Claim): void {
    for (const key of keysOf(claim)) {
      const claims = this.#byKey.get(key);
      claims?.delete(claim);
      if (claims?.size === 0) this.#byKey.delete(key);
    }
  }

  /** Drops whatever a dataset claimed, except `kept`. */
  dropAll(name: string, kept: ReadonlySet<Claim> = new Set()): void {
    for (const claim of this.#with(nameKey(name))) if (!kept.has(claim)) this.drop(claim);
  }

  /** The path now leads to this inode: what was noted of its datasets is out of date. */
  refresh(realPath: string, identity: string | undefined): void {
    for (const claim of this.#with(pathKey(realPath))) {
      if (claim.identity === identity) continue;
      this.drop(claim);
      claim.identity = identity;
      this.add(claim);
    }
  }

  /**
   * Looks again at the other paths that were last seen to lead to an inode: their files may be gone, and the file system
   * gives an inode to a new file. What two of them share must be one file.
   */
  async refreshOthers(identity: string, realPath: string): Promise<void> {
    const paths = new Set(this.#with(inodeKey(identity)).map(claim => claim.path));
    paths.delete(realPath);
    for (const each of paths) this.refresh(each, await identityOf(each)); // oxlint-disable-line no-await-in-loop
  }

  /** Any dataset on a file: by its path, so that all of one path always agree, or by its inode. */
  first(identity: string | undefined, realPath: string): Claim | undefined {
    for (const key of keysOfFile(identity, realPath)) for (const claim of this.#byKey.get(key) ?? []) return claim;
    return undefined;
  }

  /** The dataset, other than `name`, that may write a file. */
  writer(name: string, identity: string | undefined, realPath: string): Claim | undefined {
    for (const key of keysOfFile(identity, realPath)) {
      for (const claim of this.#byKey.get(key) ?? []) if (claim.writable && claim.name !== name) return claim;
    }
    return undefined;
  }

  /** True when a dataset uses the file id. */
  isUsed(fileId: string): boolean {
    return this.#byKey.has(fileKey(fileId));
  }

  /** What a dataset has claimed. */
  of(name: string): readonly Claim[] {
    return this.#with(nameKey(name));
  }

  /** The datasets on a file id, those that are being made included. */
  namesOn(fileId: string): string[] {
    return [...new Set(this.#with(fileKey(fileId)).map(({ name }) => name))];
  }

  /** Any dataset, other than `name`, on a file id. */
  sharer(name: string, fileId: string): Claim | undefined {
    for (const claim of this.#byKey.get(fileKey(fileId)) ?? []) if (claim.name !== name) return claim;
    return undefined;
  }

  /** @throws file_in_use when another dataset may write the file */
  checkSoleWriter(name: string, identity: string | undefined, realPath: string): void {
    const other = this.writer(name, identity, realPath)?.name;
    if (other !== undefined) {
      fail(
        'file_in_use',
        `The file is registered for writing as ${other}. Register it with mode r, or write through ${other}.`,
        { dataset: other },
      );
    }
  }

  /** @throws file_in_use when another dataset has the path that a new file would take */
  checkReplaceable(name: string, realPath: string): void {
    for (const claim of this.#byKey.get(pathKey(realPath)) ?? []) {
      if (claim.name !== name) failShared(claim.name, '');
    }
  }

  /** @throws busy while the file at a path is being replaced: the claims on it are those of two files */
  checkSettled(realPath: string): void {
    const fileIds = new Set(this.#with(pathKey(realPath)).map(claim => claim.fileId));
    if (fileIds.size > 1) fail('busy', 'The file is being replaced by another request. Repeat in a moment.');
  }

  /** @throws file_in_use when another dataset stands on the file that would be deleted */
  checkUnshared({ name, fileId }: DatasetRecord): void {
    const other = this.sharer(name, fileId);
    if (other) failShared(other.name, ' too');
  }

  #with(key: string): Claim[] {
    return [...(this.#byKey.get(key) ?? [])];
  }
}

function keysOf({ name, fileId, path, identity }: Claim): string[] {
  return [nameKey(name), fileKey(fileId), ...keysOfFile(identity, path)];
}

function keysOfFile(identity: string | undefined, realPath: string): string[] {
  return identity === undefined ? [pathKey(realPath)] : [pathKey(realPath), inodeKey(identity)];
}

function nameKey(name: string): string {
  return `name ${name}`;
}

function pathKey(realPath: string): string {
  return `path ${realPath}`;
}

function inodeKey(identity: string): string {
  return `inode ${identity}`;
}

function fileKey(fileId: string): string {
  return `file ${fileId}`;
}

function failShared(other: string, too: string): never {
  return fail('file_in_use', `The file is registered as ${other}${too}. Forget that dataset first.`, {
    dataset: other,
  });
}

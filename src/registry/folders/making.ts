/**
 * Makes the dataset of an array in a served folder. Its file may be one of the catalog's, too, which calls write: then it is
 * opened as that, so that both have one lock and one journal, and no answer has half of a write.
 */
import { createHash } from 'node:crypto';
import { Dataset } from '../../dataset/dataset.js';
import type { DatasetRecord } from '../../dataset/record.js';
import type { ContentCheck } from '../../dataset/registration.js';
import type { FileTable } from '../../file/file-table.js';
import { bytesOfPath } from '../../file/path-bytes.js';
import { LIMITS } from '../../limits.js';
import { pathOfFile, realPathOf, shownPathOf, type FolderFile, type Item } from './tree.js';

export interface MakerInit {
  readonly files: FileTable;
  readonly check: ContentCheck;
  /** The id under which the catalog has a file, where it has: by `device:inode`, and by its real path. */
  readonly catalogFileId: (identity: string | undefined, realPath: string) => string | undefined;
}

export class Maker {
  readonly #init: MakerInit;
  /** Those that were asked for last are kept made. */
  readonly #made = new Set<Item>();

  constructor(init: MakerInit) {
    this.#init = init;
  }

  /** The dataset of an array that was found. */
  datasetOf(item: Item): Dataset {
    const shared = this.#sharedFileId(item.file);
    const known = item.dataset;
    this.#made.delete(item);
    this.#made.add(item);
    if (known && known.record.fileId === (shared ?? counterIdOf(item.file))) return known;
    item.dataset = this.#make(item, shared);
    if (this.#made.size > LIMITS.folderDatasetsMade) {
      const [oldest] = this.#made;
      oldest!.dataset = undefined;
      this.#made.delete(oldest!);
    }
    return item.dataset;
  }

  /** The array is not there any more, or has become another one. */
  drop(item: Item): void {
    if (item.dataset) item.dataset.registration.isForgotten = true;
    this.#made.delete(item);
  }

  #make(item: Item, shared: string | undefined): Dataset {
    const { files, check } = this.#init;
    const counterId = counterIdOf(item.file);
    files.generations.followed.tie(counterId, shared);
    if (shared !== undefined) files.drop(counterId);
    const upkeep = {
      // It is read again by the next call.
      learn: async (): Promise<boolean> => {
        item.file.stamp = undefined;
        return true;
      },
      lengthen: () => undefined,
      saveShape: () => Promise.resolve(),
    };
    const record = recordOf(item, shared === undefined ? { fileId: counterId } : { fileId: shared, counterId });
    return new Dataset(record, files, check, { isForgotten: false }, upkeep);
  }

  #sharedFileId(file: FolderFile): string | undefined {
    const { stamp } = file;
    return this.#init.catalogFileId(stamp && `${stamp.dev}:${stamp.ino}`, realPathOf(file));
  }
}

function recordOf(item: Item, ids: Pick<DatasetRecord, 'fileId' | 'counterId'>): DatasetRecord {
  const { file, name, member, found } = item;
  return {
    name,
    id: hashOf('dataset', file, member),
    ...ids,
    firstGeneration: 1,
    path: realPathOf(file),
    folderPath: shownPathOf(file),
    ...found!,
    mode: 'r',
    format: file.kind,
    ...(member !== undefined && { member }),
    ...(file.kind === 'raw' && { content: 'raw' }),
    external: true,
    made: false,
  };
}

/** The counter of the file at a path, whatever file stands there; its id, too, where the catalog has none for it. */
export function counterIdOf(file: FolderFile): string {
  return hashOf('file', file, undefined);
}

function hashOf(what: string, file: FolderFile, member: string | undefined): string {
  const parts = [what, file.directory.folder.configured, pathOfFile(file), ...(member === undefined ? [] : [member])];
  return createHash('sha256')
    .update(bytesOfPath(parts.join('\0')))
    .digest('hex')
    .slice(0, 24);
}

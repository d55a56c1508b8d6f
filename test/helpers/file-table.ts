/** Files that are opened, written and read below HTTP. */
import { FileTable } from '../../src/file/file-table.js';
import { Generations } from '../../src/file/generations.js';
import { Journals } from '../../src/file/journal/journals.js';
import { Roots } from '../../src/file/roots.js';

/** The files of a folder, as those that the service made; nothing is mapped. */
export function newFileTable(folder: string, journalFolder = folder): FileTable {
  return new FileTable({
    roots: new Roots([{ configured: folder, real: folder }], []),
    generations: new Generations(journalFolder),
    journals: new Journals(journalFolder),
    arraysDir: folder,
    backends: [],
  });
}

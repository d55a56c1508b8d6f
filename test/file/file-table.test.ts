/** Opening files and changing them: descriptors that are not lost, and a flag that is set in time. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { HyperslabError } from '../../src/errors.js';
import type { FileTable } from '../../src/file/file-table.js';
import { writeThrough } from '../../src/file/write-through.js';
import { newFileTable } from '../helpers/file-table.js';
import { temporaryFolder } from '../helpers/server.js';

const folder = temporaryFolder();
t.teardown(() => fs.rmSync(folder, { recursive: true }));
const realPath = path.join(folder, 'file.raw');
const journal = path.join(folder, 'journal');
const reference = { fileId: 'f', realPath, writable: true, registration: { isForgotten: false } };

function newTable(): FileTable {
  fs.writeFileSync(realPath, Buffer.alloc(10));
  fs.mkdirSync(journal, { recursive: true });
  return newFileTable(folder, journal);
}

t.test('a file that cannot be set up is closed again, and the error is one for clients', async t => {
  const table = newTable();
  t.teardown(() => table.close());
  await table.open(reference);
  table.drop(reference.fileId);
  // Another file in its place needs a new generation, which cannot be reserved without the folder.
  fs.writeFileSync(`${realPath}.new`, Buffer.alloc(10));
  fs.renameSync(`${realPath}.new`, realPath);
  fs.rmSync(journal, { recursive: true });
  for (let i = 0; i < 3; i++) await t.rejects(table.open(reference), HyperslabError);
  await new Promise(resolve => setTimeout(resolve, 50));
  t.strictSame(descriptorsOf(realPath), []);
});

t.test('a stream closes the file at once, before its generation is reserved, until it ends', async t => {
  const table = newTable();
  t.teardown(() => table.close());
  const file = await table.open(reference);
  const options = { precondition: () => undefined, bulk: true };
  for (const fails of [false, true]) {
    const change = writeThrough(file, table, options, async () => {
      if (fails) throw new Error('cut');
    });
    t.equal(file.state.bulkLoading, true);
    t.throws(() => file.state.checkUsable(), { code: 'bulk_load' });
    if (fails) await t.rejects(change);
    else t.equal(await change, 2);
    t.equal(file.state.bulkLoading, false);
  }
  const refused = {
    ...options,
    precondition: () => {
      throw new Error('refused');
    },
  };
  await t.rejects(writeThrough(file, table, refused, async () => undefined));
  t.equal(file.state.bulkLoading, false);
});

/** The descriptors of this process that lead to a file, deleted or not; none can be seen but on Linux. */
function descriptorsOf(target: string): string[] {
  if (process.platform !== 'linux') return [];
  return fs.readdirSync('/proc/self/fd').filter(fd => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${fd}`).startsWith(target);
    } catch {
      return false;
    }
  });
}

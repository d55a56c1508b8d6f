/** What is put on the path of a folder, or of a file, after it was opened has no say in what happens there. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { HyperslabError } from '../../src/errors.js';
import { stageFile } from '../../src/file/atomic.js';
import { Folder, openWithoutLinks, removeFile, withFolder } from '../../src/file/folder.js';
import { closeDescriptor, writeFully } from '../../src/file/io.js';
import { Roots } from '../../src/file/roots.js';
import { temporaryFolder } from '../helpers/server.js';

/** A folder with a file, another outside with one of the same name, and how to put a link to it in the first's place. */
function world(t: { teardown(end: () => void): void }): {
  inside: string;
  outside: string;
  root: string;
  swap: () => void;
} {
  const base = temporaryFolder();
  t.teardown(() => fs.rmSync(base, { recursive: true }));
  const [root, outside] = [path.join(base, 'root'), path.join(base, 'outside')];
  const inside = path.join(root, 'deep', 'folder');
  fs.mkdirSync(inside, { recursive: true });
  fs.mkdirSync(outside);
  fs.writeFileSync(path.join(inside, 'file'), 'inside');
  fs.writeFileSync(path.join(outside, 'file'), 'outside');
  const swap = (): void => {
    fs.renameSync(inside, `${inside}.moved`);
    fs.symlinkSync(outside, inside);
  };
  return { inside, outside, root, swap };
}

const skip = process.platform === 'linux' ? false : 'descriptors have paths on Linux only';

t.test('a folder that is held stays the one that was opened', { skip }, async t => {
  const { inside, outside, swap } = world(t);
  const folder = await Folder.open(inside);
  swap();
  t.equal(fs.readFileSync(folder.at('file'), 'utf8'), 'inside');
  fs.writeFileSync(folder.at('made'), 'x');
  await folder.sync();
  await folder.close();
  await folder.close();
  t.strictSame(fs.readdirSync(outside), ['file']);
  t.ok(fs.existsSync(path.join(`${inside}.moved`, 'made')));
});

t.test('a file is staged, named and removed in the folder that was there at first', { skip }, async t => {
  const { inside, outside, swap } = world(t);
  const staged = await stageFile(path.join(inside, 'new'), async fd => {
    swap();
    await writeFully(fd, Buffer.from('new'), 0);
  });
  await staged.publish({ overwrite: true });
  await staged.discard();
  t.strictSame(fs.readdirSync(outside), ['file']);
  t.equal(fs.readFileSync(path.join(`${inside}.moved`, 'new'), 'utf8'), 'new');
});

t.test('a link on the way, or at the end, is not followed', async t => {
  const { inside, outside, swap } = world(t);
  const at = path.join(inside, 'file');
  await closeDescriptor(await openWithoutLinks(at, fs.constants.O_RDONLY));
  fs.symlinkSync(at, `${at}.link`);
  await t.rejects(openWithoutLinks(`${at}.link`, fs.constants.O_RDONLY), { code: 'ELOOP' });
  swap();
  await t.rejects(openWithoutLinks(at, fs.constants.O_RDONLY), { code: /ELOOP|ENOTDIR/ });
  await t.rejects(
    withFolder(inside, () => Promise.resolve()),
    { code: /ELOOP|ENOTDIR/ },
  );
  await t.rejects(removeFile(at), { code: /ELOOP|ENOTDIR/ });
  t.equal(fs.readFileSync(path.join(outside, 'file'), 'utf8'), 'outside');
});

t.test('nothing is removed where there is nothing', async t => {
  const { inside } = world(t);
  await removeFile(path.join(inside, 'none'));
  await removeFile(path.join(inside, 'no', 'folder'));
  await removeFile(path.join(inside, 'file'));
  t.strictSame(fs.readdirSync(inside), []);
});

t.test('what was found under a root is opened only while no link stands on its path', async t => {
  const { inside, root, swap } = world(t);
  const roots = new Roots([{ configured: root, real: root }], []);
  const found = await roots.find('deep/folder/file');
  t.equal(found, path.join(inside, 'file'));
  await closeDescriptor(await roots.open(found, false));
  swap();
  await t.rejects(roots.open(found, false), HyperslabError);
  await t.rejects(roots.find('deep/folder/file'), { code: 'path_forbidden' });
});

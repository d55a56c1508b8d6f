/**
 * What a build must lose to be caught: each row takes one part of the promise away, and the named test must then fail.
 * `npm run faults -- --broken` runs them; a test that passes against its broken build tests nothing.
 */
import type { BrokenBuild } from './broken-builds.js';
import { BROKEN_CONNECTIONS } from './broken-connections.js';
import { BROKEN_REQUESTS } from './broken-requests.js';

export const BROKEN_BUILDS: readonly BrokenBuild[] = [
  {
    name: 'skip-journal',
    breaks: 'a write goes to the file without a record in the journal',
    fails: 'kills',
    changes: [{ file: 'file/commit.js', text: 'await journal.append(records);', replacement: '' }],
  },
  {
    name: 'none-without-checkpoint',
    breaks: 'a write with durability none leaves older records in the journal',
    fails: 'kills',
    changes: [{ file: 'file/write-through.js', text: "await checkpoint(file, journals, 'keep');", replacement: '' }],
  },
  {
    name: 'ack-before-fdatasync',
    breaks: 'a write is confirmed before the sync of its record',
    fails: 'sync-errors',
    changes: [{ file: 'file/commit.js', text: 'await journal.sync();', replacement: '' }],
  },
  {
    name: 'sync-again',
    breaks: 'a sync that failed is tried again',
    fails: 'sync-errors',
    changes: [
      {
        file: 'file/journal/journal.js',
        text: 'await syncData(this.#fd);\n        this.#durableSeq = appended;',
        replacement: 'await syncData(this.#fd).catch(() => syncData(this.#fd));\n        this.#durableSeq = appended;',
      },
    ],
  },
  {
    name: 'no-room-held',
    breaks: 'a write into a hole is promised before the disk has room for it',
    fails: 'disk-full',
    changes: [{ file: 'file/commit.js', text: 'if (isSparse)', replacement: 'if (false)' }],
  },
  {
    name: 'never-looks-at-the-file-again',
    breaks: 'nobody asks whether the path still leads to the same, whole file',
    fails: 'changed-files',
    changes: [
      {
        file: 'file/open-file.js',
        text: 'verify(endBytes) {',
        replacement: 'verify(endBytes) {\n        return;',
      },
    ],
  },
  {
    name: 'short-reads',
    breaks: 'a read that ends early counts as whole',
    fails: 'changed-files',
    changes: [
      {
        file: 'file/io.js',
        text: 'failTruncated(await sizeOfDescriptor(fd), position + into.byteLength);',
        replacement: 'return;',
      },
      {
        file: 'file/io.js',
        text: 'failTruncated(fs.fstatSync(fd).size, position + into.byteLength);',
        replacement: 'return;',
      },
    ],
  },
  {
    name: 'no-lock',
    breaks: 'a write is applied while others read',
    fails: 'readers',
    changes: [
      {
        file: 'file/commit.js',
        text: 'await state.lock.withWrite(async () => {',
        replacement: 'await (work => work())(async () => {',
      },
    ],
  },
  {
    name: 'whole-answers',
    breaks: 'an answer is read whole, whatever its size',
    fails: 'memory',
    changes: [
      { file: 'dataset/pieces.js', text: 'if (bytes > LIMITS.firstPieceBytes)', replacement: 'if (bytes < 0)' },
    ],
  },
  {
    name: 'answered-before-their-turn',
    breaks: 'a request is worked on while an earlier answer of its connection is unread',
    fails: 'hostile',
    changes: [{ file: 'plugins/pipelines.js', text: 'if (response.socket)', replacement: 'if (true)' }],
  },
  {
    name: 'no-folder-lock',
    breaks: 'nobody asks who else has the data folder',
    fails: 'two-services',
    changes: [
      {
        file: 'file/folder-lock.js',
        text: 'export async function lockFolder(folder) {',
        replacement: 'export async function lockFolder(folder) {\n    return { release: () => {} };',
      },
    ],
  },
  {
    name: 'power-cut-without-journal',
    breaks: 'a write is applied and synced, with no record of it',
    fails: 'power-cut',
    changes: [
      { file: 'file/commit.js', text: 'await journal.append(records);', replacement: '' },
      { file: 'file/commit.js', text: 'await journal.sync();', replacement: '' },
      {
        file: 'file/commit.js',
        text: 'await applyInOrder(accepted);',
        replacement: "await applyInOrder(accepted);\n            await checkpoint(file, journals, 'keep');",
      },
    ],
  },
  {
    name: 'power-cut-ack-before-sync',
    breaks: 'a write is confirmed while the sync of its record is under way',
    fails: 'power-cut',
    changes: [{ file: 'file/commit.js', text: 'await journal.sync();', replacement: 'void journal.sync();' }],
  },
  {
    name: 'journal-voided-first',
    breaks: 'a checkpoint voids the journal before the array is on disk',
    fails: 'power-cut',
    changes: [
      {
        file: 'file/checkpoint.js',
        text: 'if (!(await syncInSlices(file.fd, until))) {',
        replacement:
          'if (isLive)\n            await journal.reset(file.identity.ino, room);\n        if (!(await syncInSlices(file.fd, until))) {',
      },
    ],
  },
  {
    name: 'checkpoint-without-sync',
    breaks: 'a checkpoint does not sync the array',
    fails: 'power-cut',
    changes: [{ file: 'file/checkpoint.js', text: '!(await syncInSlices(file.fd, until))', replacement: 'false' }],
  },
  {
    name: 'recovery-without-sync',
    breaks: 'a recovery voids the journal before the array is on disk',
    fails: 'power-cut',
    changes: [
      {
        file: 'file/journal/recovery.js',
        text: 'return { journal, replayedRecords: records.length, end: fileEnd };',
        replacement:
          "await journal.reset(file.ino, 'give back');\n        return { journal, replayedRecords: records.length, end: fileEnd };",
      },
    ],
  },
  {
    name: 'growth-header-first',
    breaks: 'an array that grows says so before the rows are there',
    fails: 'appends',
    changes: [
      {
        file: 'file/commit.js',
        text: 'const isOneRun =',
        replacement:
          'if (grown.header)\n                await request.applier.apply(file, grown.header);\n            const isOneRun =',
      },
    ],
  },
  {
    name: 'growth-turned-back',
    breaks: 'a recovery cuts an array that grew off at each end that it had on its way',
    fails: 'appends',
    changes: [{ file: 'file/journal/redo.js', text: 'if (isCut ||', replacement: 'if (true ||' }],
  },
  {
    name: 'growth-without-journal',
    breaks: 'an append goes to the file without a record in the journal',
    fails: 'power-cut-growth',
    changes: [
      { file: 'file/commit.js', text: 'await journal.append(records);', replacement: '' },
      { file: 'file/commit.js', text: 'await journal.sync();', replacement: '' },
    ],
  },
  {
    name: 'paths-by-name',
    breaks: 'files are opened by a path that was checked before',
    fails: 'path-race',
    changes: [
      {
        file: 'file/folder.js',
        text: "const hasDescriptorPaths = process.platform === 'linux' && existsSync(DESCRIPTORS);",
        replacement: 'const hasDescriptorPaths = false;',
      },
    ],
  },
  {
    name: 'no-openat2',
    breaks: 'the last step of a path follows links',
    fails: 'path-race',
    changes: [
      {
        file: 'file/folder.js',
        text: 'return fd !== undefined && fd >= 0 ? fd : walkTo(realPath, flags);',
        replacement: 'return openDescriptor(realPath, flags);',
      },
    ],
  },
  {
    name: 'large-pieces',
    breaks: 'slow readers get large pieces, and more of them in advance',
    fails: 'slow-clients',
    changes: [{ file: 'plugins/stream.js', text: 'return this.#release !== undefined;', replacement: 'return true;' }],
  },
  {
    name: 'no-turns',
    breaks: 'long work on the event loop is done in one step',
    fails: 'event-loop',
    changes: [
      { file: 'turns.js', text: 'if (line.push(resolve) === 1)', replacement: 'resolve();\n        if (false)' },
    ],
  },
  {
    name: 'no-rate',
    breaks: 'nobody looks how fast a body comes',
    fails: 'slow-clients',
    changes: [{ file: 'plugins/rates.js', text: 'if (nowMs - upload.startedMs < windowMs)', replacement: 'if (true)' }],
  },
  {
    name: 'lax-headers',
    breaks: 'white space that numpy refuses in a .npy header is taken',
    fails: 'fuzz',
    changes: [
      { file: 'formats/npy-literal.js', text: '/^[ \\t]*[\\r\\n]|[\\r\\n][ \\t]+$/.test(text)', replacement: 'false' },
    ],
  },
  {
    name: 'bad-clipping',
    breaks: 'a slice that begins before its axis is not clipped',
    fails: 'fuzz',
    changes: [{ file: 'selection.js', text: 'Math.max(fromStart, lowest)', replacement: 'fromStart' }],
  },
  {
    name: 'unknown-failure',
    breaks: 'an index out of bounds fails with an error that is not ours',
    fails: 'api-fuzz',
    changes: [
      { file: 'selection.js', text: "fail('index_out_of_bounds',", replacement: "(() => { throw new Error('x'); })(" },
    ],
  },
  ...BROKEN_CONNECTIONS,
  ...BROKEN_REQUESTS,
];

/**
 * Builds that are broken on purpose, as a table: each takes one part of the promise away, and the named fault test must
 * then fail. `npm run faults -- --broken` runs them; a test that passes against its broken build tests nothing.
 * Hazard: a replaced text is that of the compiled file; where it no longer occurs exactly once, making the build throws.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../src/package-root.js';

interface Change {
  /** Below dist/src. */
  readonly file: string;
  /** Must occur exactly once in it. */
  readonly text: string;
  readonly replacement: string;
}

export interface BrokenBuild {
  readonly name: string;
  /** What is taken away. */
  readonly breaks: string;
  /** The fault test that must fail: `kills` is test/faults/kills.faults.ts. */
  readonly fails: string;
  /** Settings for the test, where it needs less than its short form to fail. */
  readonly env?: Readonly<Record<string, string>>;
  readonly changes: readonly Change[];
}

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
        text: 'position + done);\n        if (bytesRead === 0)\n            failTruncated();\n        done += bytesRead;\n    }\n}\n/** The same for a worker',
        replacement:
          'position + done);\n        if (bytesRead === 0)\n            return;\n        done += bytesRead;\n    }\n}\n/** The same for a worker',
      },
      {
        file: 'file/io.js',
        text: 'done, length, position + done);\n        if (bytesRead === 0)\n            failTruncated();',
        replacement: 'done, length, position + done);\n        if (bytesRead === 0)\n            return;',
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
      { file: 'dataset/pieces.js', text: 'if (bytes <= LIMITS.firstPieceBytes)', replacement: 'if (bytes > 0)' },
    ],
  },
  {
    name: 'no-folder-lock',
    breaks: 'nobody asks who else has the data folder',
    fails: 'two-services',
    changes: [
      {
        file: 'file/folder-lock.js',
        text: 'export async function lockFolder(folder) {',
        replacement: 'export async function lockFolder(folder) {\n    return { release: async () => {} };',
      },
    ],
  },
];

/** Folders and files of the package that the server reads beside its own code. */
const LINKED = ['node_modules', 'package.json', 'demo', 'openapi'];
const START_MS_MAX = 30_000;

export interface MadeBuild {
  /** For HYPERSLAB_TEST_SERVER. */
  readonly server: string;
  remove(): void;
}

/** Copies what was built into a temporary folder and makes the changes there. */
export function makeBuild({ name, changes }: BrokenBuild): MadeBuild {
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-broken-'));
  for (const each of ['src', 'routes']) {
    fs.cpSync(path.join(PACKAGE_ROOT, 'dist', each), path.join(folder, 'dist', each), { recursive: true });
  }
  for (const each of LINKED) fs.symlinkSync(path.join(PACKAGE_ROOT, each), path.join(folder, each));
  for (const { file, text, replacement } of changes) {
    const target = path.join(folder, 'dist', 'src', file);
    const parts = fs.readFileSync(target, 'utf8').split(text);
    if (parts.length !== 2) throw new Error(`${name}: ${file} holds the text ${parts.length - 1} times: ${text}`);
    fs.writeFileSync(target, parts.join(replacement));
  }
  return {
    server: path.join(folder, 'dist', 'src', 'server.js'),
    remove: () => fs.rmSync(folder, { recursive: true, force: true }),
  };
}

/** True when a build starts at all: a test that fails because nothing runs has shown nothing. */
export async function starts(server: string): Promise<boolean> {
  const dataDir = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-broken-data-'));
  const child = spawn(process.execPath, [server], {
    env: { ...process.env, HYPERSLAB_PORT: '0', HYPERSLAB_DATA_DIR: dataDir },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS_MAX);
  let log = '';
  try {
    for await (const chunk of child.stdout as AsyncIterable<Buffer>) {
      log += chunk.toString();
      if (log.includes('hyperslab listens at')) return true;
    }
    return false;
  } finally {
    clearTimeout(timer);
    child.kill('SIGKILL');
    fs.rmSync(dataDir, { recursive: true, force: true });
  }
}

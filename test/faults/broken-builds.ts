/**
 * Making builds that are broken on purpose (the table is broken-table.ts): a copy of what was built, with a text replaced.
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

/** Folders and files of the package that the server reads beside its own code. */
const LINKED = ['node_modules', 'package.json', 'demo', 'openapi'];
const START_MS_MAX = 30_000;

export interface MadeBuild {
  /** For HYPERSLAB_TEST_SERVER. */
  readonly server: string;
  remove(): void;
}

/** The files of a build that differ, by their path below dist/src. @throws where a text does not occur exactly once */
export function changedFiles({ name, changes }: BrokenBuild): Map<string, string> {
  const changed = new Map<string, string>();
  for (const { file, text, replacement } of changes) {
    const source = changed.get(file) ?? fs.readFileSync(path.join(PACKAGE_ROOT, 'dist', 'src', file), 'utf8');
    const parts = source.split(text);
    if (parts.length !== 2) throw new Error(`${name}: ${file} holds the text ${parts.length - 1} times: ${text}`);
    changed.set(file, parts.join(replacement));
  }
  return changed;
}

/** Copies what was built into a temporary folder and makes the changes there. */
export function makeBuild(build: BrokenBuild): MadeBuild {
  const changed = changedFiles(build);
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-broken-'));
  for (const each of ['src', 'routes']) {
    fs.cpSync(path.join(PACKAGE_ROOT, 'dist', each), path.join(folder, 'dist', each), { recursive: true });
  }
  for (const each of LINKED) fs.symlinkSync(path.join(PACKAGE_ROOT, each), path.join(folder, each));
  for (const [file, text] of changed) fs.writeFileSync(path.join(folder, 'dist', 'src', file), text);
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

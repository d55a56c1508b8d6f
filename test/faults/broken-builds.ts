/**
 * Making builds that are broken on purpose (the table is broken-table.ts): a copy of what was built, tests included, with
 * a text replaced. A test of the copy tests the copy, whether it starts a service or calls one in its own process.
 * Hazard: a replaced text is that of the compiled file; where it no longer occurs exactly once, making the build throws.
 */
import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../src/package-root.js';

interface Change {
  /** Below dist/src; `../routes/` has the routes. */
  readonly file: string;
  /** Must occur exactly once in it. */
  readonly text: string;
  readonly replacement: string;
}

export interface BrokenBuild {
  readonly name: string;
  /** What is taken away. */
  readonly breaks: string;
  /** The test that must fail: `kills` is test/faults/kills.faults.ts, `http/unread` test/http/unread.test.ts. */
  readonly fails: string;
  /** How the title begins of the only part of that test that runs, where it has many. */
  readonly part?: string;
  /** Settings for the test, where it needs less than its short form to fail. */
  readonly env?: Readonly<Record<string, string>>;
  readonly changes: readonly Change[];
}

/** What knows where it lies by its own path; all else of the package is the same for every build. */
const COPIED = ['dist', 'scripts'];
const START_MS_MAX = 30_000;

export interface MadeBuild {
  readonly folder: string;
  /** For what its test leaves behind. */
  readonly temporary: string;
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

/** Copies the package into a temporary folder and makes the changes there. */
export function makeBuild(build: BrokenBuild): MadeBuild {
  const changed = changedFiles(build);
  const folder = fs.mkdtempSync(path.join(tmpdir(), 'hyperslab-broken-'));
  for (const each of fs.readdirSync(PACKAGE_ROOT)) {
    const [from, to] = [path.join(PACKAGE_ROOT, each), path.join(folder, each)];
    if (COPIED.includes(each)) fs.cpSync(from, to, { recursive: true });
    else fs.symlinkSync(from, to);
  }
  for (const [file, text] of changed) fs.writeFileSync(path.join(folder, 'dist', 'src', file), text);
  // Without it, the program is the compiled one.
  fs.rmSync(path.join(folder, 'dist', 'bundle'), { recursive: true });
  const temporary = path.join(folder, 'temporary');
  fs.mkdirSync(temporary);
  return { folder, temporary, remove: () => fs.rmSync(folder, { recursive: true, force: true }) };
}

/** The program of a test, by its name in the table. Below the folder of a build. */
export function programOf(name: string): string {
  const [faults, ordinary] = [path.join('faults', `${name}.faults.js`), `${name}.test.js`].map(each =>
    path.join('dist', 'test', each),
  );
  return fs.existsSync(path.join(PACKAGE_ROOT, faults!)) ? faults! : ordinary!;
}

/** True when a build starts at all: a test that fails because nothing runs has shown nothing. */
export async function starts({ folder }: MadeBuild): Promise<boolean> {
  const server = path.join(folder, 'dist', 'src', 'server.js');
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

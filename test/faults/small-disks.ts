/**
 * Small file systems that can be filled to the last block: ext4 in a loop image, and tmpfs. Needs root. Hazard: what is
 * mounted must be unmounted, whatever happened to the server on it.
 */
import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { temporaryFolder } from '../helpers/server.js';
import { freeBytes, KiB, MiB } from '../system/calls.js';
import { unlessPrograms, unlessRoot } from './harness.js';

export interface SmallDisk {
  /** An empty folder on it. */
  readonly folder: string;
  /** Takes room until at most this much is left. 0 fills every block. */
  leave(bytes: number): void;
  /** Gives all of it back. */
  free(): void;
  unmount(): void;
}

export interface DiskKind {
  readonly title: string;
  /** Why it cannot be had here, or false. */
  readonly skip: string | false;
  mount(bytes: number): SmallDisk;
}

export const DISK_KINDS: readonly DiskKind[] = [
  {
    title: 'ext4',
    skip: unlessRoot() || unlessPrograms('mkfs.ext4', 'mount', 'losetup') || unlessLoop(),
    mount: bytes => {
      const place = temporaryFolder();
      const image = path.join(place, 'image');
      const folder = path.join(place, 'disk');
      fs.mkdirSync(folder);
      fs.writeFileSync(image, '');
      fs.truncateSync(image, bytes);
      run('mkfs.ext4', '-q', '-F', '-m', '0', '-b', '4096', '-E', 'lazy_itable_init=0,lazy_journal_init=0', image);
      run('mount', '-o', 'loop', image, folder);
      return diskAt(folder, () => fs.rmSync(place, { recursive: true }));
    },
  },
  {
    title: 'tmpfs',
    skip: unlessRoot() || unlessPrograms('mount'),
    mount: bytes => {
      const folder = temporaryFolder();
      run('mount', '-t', 'tmpfs', '-o', `size=${bytes}`, 'none', folder);
      return diskAt(folder, () => fs.rmdirSync(folder));
    },
  },
];

function unlessLoop(): string | false {
  return spawnSync('losetup', ['-f']).status !== 0 && 'needs a loop device';
}

function diskAt(mounted: string, removeRest: () => void): SmallDisk {
  const folder = path.join(mounted, 'data');
  const ballast = path.join(mounted, 'ballast');
  fs.mkdirSync(folder);
  const free = (): void => {
    fs.rmSync(ballast, { force: true });
    run('sync', '-f', mounted);
  };
  return {
    folder,
    free,
    leave(bytes) {
      free();
      fillWith(ballast);
      const { size } = fs.statSync(ballast);
      fs.truncateSync(ballast, Math.max(0, size - bytes));
      run('sync', '-f', mounted);
    },
    unmount() {
      if (spawnSync('umount', [mounted]).status !== 0) run('umount', '-l', mounted);
      removeRest();
    },
  };
}

/** Writes a file until there is no room for one more block. */
function fillWith(file: string): void {
  const fd = fs.openSync(file, 'w');
  const folder = path.dirname(file);
  try {
    // ext4 decides late about the last blocks: what it still finds after a sync is taken in the next turn.
    for (let turn = 0; turn < 5 && (turn === 0 || freeBytes(folder) > 0); turn++) {
      for (let step = MiB; step >= 4 * KiB; step /= 2) appendWhile(fd, Buffer.alloc(step, 1));
      fs.fsyncSync(fd);
    }
  } finally {
    fs.closeSync(fd);
  }
}

function appendWhile(fd: number, piece: Buffer): void {
  try {
    while (fs.writeSync(fd, piece) === piece.byteLength);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}

/**
 * A folder on ext4 on a disk that forgets what was not flushed (forgetful-disk.c), behind a loop device. `cut` is the
 * power cut. Needs root. Hazards: the test's own process must not hold a file of the folder open, or it cannot be
 * unmounted; whatever happens to the test, its guard undoes mounts and loop devices.
 */
import { execFileSync, spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../../../src/package-root.js';
import { unlessPrograms, unlessRoot } from '../harness.js';
import { eventually } from '../../system/calls.js';
import { temporaryFolder } from '../../helpers/server.js';

const DISK_BYTES = 256 * 2 ** 20;
const SOURCE = path.join(PACKAGE_ROOT, 'test/faults/disk/forgetful-disk.c');
const PROGRAMS = ['gcc', 'pkg-config', 'losetup', 'mount', 'umount', 'mkfs.ext4', 'e2fsck', 'cp'];

/** Undoes in the order in which it was built up, and removes the folder. Waits until the test is gone. */
const GUARD = `cat >/dev/null
below() { awk -v root="$0/" 'index($2, root) == 1 { print $2 }' /proc/mounts | sort -r; }
for place in $(below | grep /data$); do umount -l "$place"; done
losetup --noheadings --list --output NAME,BACK-FILE | awk -v root="$0/" 'index($2, root) == 1 { print $1 }' |
  while read -r device; do losetup -d "$device"; done
for place in $(below); do umount -l "$place"; done
rm -rf "$0"`;

/** Why this machine cannot have such a disk, or false. */
export function unlessDisks(): string | false {
  return (
    unlessRoot() ||
    unlessPrograms(...PROGRAMS) ||
    (spawnSync('pkg-config', ['--exists', 'fuse3']).status !== 0 && 'needs libfuse3-dev') ||
    (!canOpen('/dev/fuse') && 'needs /dev/fuse') ||
    (!canOpen('/dev/loop-control') && 'needs loop devices')
  );
}

/** A temporary folder with the compiled disk in it; whatever is mounted below is undone at the end of the test. */
export class DiskRoom {
  readonly folder = temporaryFolder();
  readonly program = path.join(this.folder, 'forgetful-disk');
  readonly #guard: ChildProcess;

  constructor() {
    this.#guard = spawn('sh', ['-c', GUARD, this.folder], { stdio: ['pipe', 'ignore', 'inherit'], detached: true });
    this.#guard.unref();
    const flags = execFileSync('pkg-config', ['--cflags', '--libs', 'fuse3'], { encoding: 'utf8' }).trim().split(/\s+/);
    execFileSync('gcc', ['-O2', '-o', this.program, SOURCE, ...flags, '-lpthread']);
  }

  path(name: string): string {
    return path.join(this.folder, name);
  }

  /** The image of a disk with an empty ext4 on it. */
  format(name: string): string {
    const image = this.path(name);
    fs.closeSync(fs.openSync(image, 'w'));
    fs.truncateSync(image, DISK_BYTES);
    execFileSync('mkfs.ext4', ['-q', '-F', '-E', 'nodiscard,lazy_itable_init=0,lazy_journal_init=0', image]);
    return image;
  }

  async close(): Promise<void> {
    this.#guard.ref();
    this.#guard.stdin!.end();
    if (this.#guard.exitCode === null) await once(this.#guard, 'exit');
  }
}

export function copyImage(from: string, to: string): void {
  execFileSync('cp', ['--sparse=always', from, to]);
}

/** ext4 of an image, mounted. */
export interface Mounted {
  readonly folder: string;
  /** @param disk `gone`: it cannot take what is still dirty, so the folder goes at once, the rest when nobody uses it */
  unmount(disk: 'present' | 'gone'): void;
}

/** Mounts the ext4 in a file. The folder's name is what the guard looks for. */
export function mountImage(image: string, place: string): Mounted {
  const folder = path.join(place, 'data');
  fs.mkdirSync(folder, { recursive: true });
  const device = execFileSync('losetup', ['--find', '--show', image], { encoding: 'utf8' }).trim();
  try {
    execFileSync('mount', ['-t', 'ext4', '-o', 'errors=continue', device, folder]);
  } catch (error) {
    execFileSync('losetup', ['-d', device]);
    throw error;
  }
  return {
    folder,
    unmount(disk) {
      execFileSync('umount', disk === 'gone' ? ['-l', folder] : [folder]);
      execFileSync('losetup', ['-d', device]);
    },
  };
}

/** True when e2fsck finds nothing to repair in an unmounted image. */
export function isWhole(image: string): boolean {
  return spawnSync('e2fsck', ['-f', '-n', image]).status === 0;
}

export interface DiskOptions {
  readonly flushMs?: number;
  /** A file to which every write and every flush is appended. */
  readonly log?: string;
}

export class ForgetfulDisk {
  /** Where the ext4 on the disk is mounted. */
  readonly folder: string;
  readonly #child: ChildProcess;
  readonly #place: string;
  readonly #mounted: Mounted;
  readonly #position: number;

  private constructor(child: ChildProcess, place: string) {
    this.#child = child;
    this.#place = place;
    this.#mounted = mountImage(path.join(place, 'disk.img'), `${place}-mounted`);
    this.folder = this.#mounted.folder;
    this.#position = fs.openSync(path.join(place, 'position'), 'r');
  }

  /** Plugs a disk in: what it holds is the image, and only what is flushed gets there. */
  static async start(room: DiskRoom, image: string, { flushMs = 0, log = '/dev/null' }: DiskOptions = {}) {
    const place = fs.mkdtempSync(room.path('disk-'));
    const errors = fs.openSync(`${place}.errors`, 'w');
    const child = spawn(room.program, [place, image, log, String(flushMs)], { stdio: ['pipe', 'ignore', errors] });
    fs.closeSync(errors);
    if (!(await eventually(() => fs.existsSync(path.join(place, 'disk.img'))))) {
      throw new Error(`the disk did not start: ${fs.readFileSync(`${place}.errors`, 'utf8')}`);
    }
    return new ForgetfulDisk(child, place);
  }

  /** How many writes and flushes there were: entries of the log. */
  position(): number {
    return this.#counts()[0]!;
  }

  flushes(): number {
    return this.#counts()[1]!;
  }

  /** The first half of `cut`: at once, while the folder is in use. */
  kill(): void {
    this.#child.kill('SIGKILL');
  }

  /** From now on the disk takes nothing and holds what was flushed. Who uses the folder must be dead already. */
  cut(): Promise<void> {
    return this.#remove('gone');
  }

  /** Unmounts properly: everything gets to the image. */
  unplug(): Promise<void> {
    return this.#remove('present');
  }

  async #remove(disk: 'present' | 'gone'): Promise<void> {
    fs.closeSync(this.#position);
    if (disk === 'present') this.#mounted.unmount(disk);
    this.kill();
    if (this.#child.exitCode === null && this.#child.signalCode === null) await once(this.#child, 'exit');
    if (disk === 'gone') this.#mounted.unmount(disk);
    execFileSync('umount', ['-l', this.#place]);
  }

  #counts(): number[] {
    const text = Buffer.alloc(64);
    return text
      .toString('ascii', 0, fs.readSync(this.#position, text, 0, text.length, 0))
      .split(' ')
      .map(Number);
  }
}

function canOpen(device: string): boolean {
  try {
    fs.closeSync(fs.openSync(device, 'r+'));
    return true;
  } catch {
    return false;
  }
}

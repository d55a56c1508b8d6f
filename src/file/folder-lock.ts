/**
 * One process per data folder. The kernel holds the lock and lets go of it when the process ends, however it ends: an
 * flock(2) on a file in the folder, which all containers and namespaces of a machine see, and an abstract socket named
 * after the folder, which needs no package. Hazard: neither reaches another machine that mounts the same folder.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { libc } from './libc.js';

const LOCK_FILE = 'lock';

/** Thrown with a sentence for whoever starts the service. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse';
}

export interface FolderLock {
  release(): Promise<void>;
}

/** Takes the folder for this process. @throws FolderInUse */
export async function lockFolder(folder: string): Promise<FolderLock> {
  const fd = fs.openSync(path.join(folder, LOCK_FILE), fs.constants.O_RDWR | fs.constants.O_CREAT, 0o644);
  try {
    if (libc()?.tryLock(fd) === false) failInUse(folder, fd);
    const socket = await holdSocket(folder, fd);
    notePid(fd);
    return {
      async release() {
        socket?.close();
        fs.closeSync(fd);
      },
    };
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
}

/** For the message that another process will give. A full disk is no reason not to start. */
function notePid(fd: number): void {
  try {
    fs.ftruncateSync(fd);
    fs.writeSync(fd, `${process.pid}\n`, 0);
  } catch {
    // The message will name no process.
  }
}

/** Undefined where there are no abstract sockets. */
async function holdSocket(folder: string, fd: number): Promise<net.Server | undefined> {
  if (process.platform !== 'linux') return undefined;
  const { dev, ino } = fs.statSync(folder, { bigint: true });
  const server = net.createServer(connection => connection.destroy()).unref();
  server.listen(`\0hyperslab-data-${dev}-${ino}`);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') failInUse(folder, fd);
    throw error;
  }
}

function failInUse(folder: string, fd: number): never {
  const pid = Buffer.alloc(16);
  const length = fs.readSync(fd, pid, 0, pid.byteLength, 0);
  const owner = /^\d+/.exec(pid.toString('latin1', 0, length))?.[0];
  throw new FolderInUse(
    `The data folder ${folder} is in use by another Hyperslab${owner ? ` (process ${owner})` : ''}. ` +
      'Stop that one first, or set HYPERSLAB_DATA_DIR to another folder.',
  );
}

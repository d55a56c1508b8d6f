/**
 * A lock that the kernel holds, and lets go of when its process ends, however that ends: an flock(2), which all
 * containers and namespaces of a machine see, and an abstract socket, which needs no package. Never waits.
 * Hazard: neither reaches another machine that mounts the same folder; where there is neither, everybody gets the lock.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import { systemErrorCode } from '../errors.js';
import { libc } from './libc.js';

export interface KernelLock {
  release(): void;
}

export interface LockTarget {
  /** The folder that is locked, whatever it is called. */
  readonly folder: string;
  /** Locks for different purposes do not exclude each other. */
  readonly purpose: 'data' | 'keys';
  /** Open for this lock alone: `release` closes it, and so does a refusal. */
  readonly fd: number;
}

/** Takes a lock of a folder; undefined when it is taken. */
export async function tryKernelLock({ folder, purpose, fd }: LockTarget): Promise<KernelLock | undefined> {
  try {
    if (libc()?.tryLock(fd) !== false) {
      const { dev, ino } = fs.statSync(folder, { bigint: true });
      const socket = await listenOn(`\0hyperslab-${purpose}-${dev}-${ino}`);
      if (socket !== 'taken') {
        return {
          release() {
            socket?.close();
            fs.closeSync(fd);
          },
        };
      }
    }
  } catch (error) {
    fs.closeSync(fd);
    throw error;
  }
  fs.closeSync(fd);
  return undefined;
}

/** Undefined where there are no abstract sockets. */
async function listenOn(name: string): Promise<net.Server | 'taken' | undefined> {
  if (process.platform !== 'linux') return undefined;
  const server = net.createServer(connection => connection.destroy()).unref();
  server.listen(name);
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if (systemErrorCode(error) === 'EADDRINUSE') return 'taken';
    throw error;
  }
}

/**
 * The service's own rooms in its data folder: new arrays, manifests, journals and counters. What the kernel refuses there
 * is nobody's request gone wrong, but a matter for whoever runs the service.
 */
import { constants } from 'node:fs';
import fs from 'node:fs/promises';
import path from 'node:path';
import { HyperslabError, systemErrorCode } from '../errors.js';

export const OWN_ROOMS = ['arrays', 'catalog', 'journal'] as const;

const userId = process.geteuid?.();

/** What the kernel says → what is to be done, without the path, which clients must not learn. */
const REMEDIES: Readonly<Record<string, string>> = {
  EACCES: `Make user ${userId} its owner (chown -R), with the right to read, write and enter it`,
  EPERM: `Make user ${userId} its owner (chown -R), and take away what protects it (chattr -i)`,
  EROFS: 'It is mounted read-only: look for disk errors, and mount it writable',
  ENOENT: 'A part of it is gone: put it back, and restart the service',
  ENOTDIR: 'Something else stands in its place: put it back, and restart the service',
};

/** Does a step that writes or deletes in one of these rooms. @throws data_folder_refused, and what else is thrown */
export async function inOwnFolder<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = systemErrorCode(error);
    const remedy = code === undefined ? undefined : REMEDIES[code];
    if (remedy === undefined) throw error;
    const detail = `The data folder of the service cannot be written by the service, which runs as user ${userId} (${code}). Whoever runs it should act: ${remedy}.`;
    throw new HyperslabError('data_folder_refused', detail, { reason: code }, { cause: error });
  }
}

/** Why a room cannot be written now, as the kernel calls it; undefined where all can. */
export async function troubleOfOwnFolder(dataDir: string): Promise<string | undefined> {
  for (const room of OWN_ROOMS) {
    try {
      // oxlint-disable-next-line no-await-in-loop
      await fs.access(path.join(dataDir, room), constants.R_OK | constants.W_OK | constants.X_OK);
    } catch (error) {
      return systemErrorCode(error) ?? 'unknown';
    }
  }
  return undefined;
}

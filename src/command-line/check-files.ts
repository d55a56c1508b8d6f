/** The files of datasets, as the doctor looks at them: there, readable, long enough, with the header of their manifest. */
import fs from 'node:fs/promises';
import { isWritable, geometryOf, type DatasetRecord } from '../dataset/record.js';
import { HyperslabError, systemErrorCode } from '../errors.js';
import { shapeInHeader } from '../registry/inspect.js';
import type { Finding } from './finding.js';

/** The files of a dataset, each as that of a dataset of its own. */
export function filesOf(record: DatasetRecord): readonly DatasetRecord[] {
  const { parts, ...whole } = record;
  if (!parts) return [record];
  return parts.map(part => Object.assign({}, whole, part, { shape: record.shape.with(0, part.rows) }));
}

/** Undefined where a file is as it has to be. */
export async function fileFinding(file: DatasetRecord): Promise<Finding | undefined> {
  const about = file.name;
  const bad = (found: string, remedy: string): Finding => ({ level: 'bad', about, found, remedy });
  const forget = `Put it back, or forget the dataset (DELETE /v1/datasets/${about}).`;
  try {
    const stats = await fs.lstat(file.path);
    if (!stats.isFile()) return bad(`${file.path} is no regular file`, forget);
    const mode = fs.constants.R_OK | (isWritable(file) ? fs.constants.W_OK : 0);
    if ((await fs.access(file.path, mode).catch(() => false)) === false) {
      return bad(
        `${file.path} cannot be ${isWritable(file) ? 'written' : 'read'}`,
        'Mend its owner or permissions, or set mode r.',
      );
    }
    const { endBytes } = geometryOf(file);
    const shape = file.format === 'npy' ? await shapeOf(file) : file.shape;
    // A file that has grown says so itself.
    const neededBytes = shape ? geometryOf({ ...file, shape }).endBytes : endBytes;
    if (stats.size < neededBytes) {
      return bad(
        `${file.path} has ${stats.size} bytes of ${neededBytes}: it was cut`,
        'Put it back from a backup; what is left can be registered anew.',
      );
    }
    if (shape) return undefined;
    return bad(
      `${file.path} has another header than its manifest says`,
      'Another program wrote it: read it once, and it is taken on as it is, or put it back.',
    );
  } catch (error) {
    const code = systemErrorCode(error);
    if (code === undefined) throw error;
    return bad(code === 'ENOENT' ? `${file.path} is missing` : `${file.path} cannot be looked at (${code})`, forget);
  }
}

/** Undefined where the header is another one. */
async function shapeOf(file: DatasetRecord): Promise<readonly number[] | undefined> {
  const handle = await fs.open(file.path);
  try {
    const head = Buffer.alloc(file.offset);
    const { bytesRead } = await handle.read(head, 0, file.offset, 0);
    return shapeInHeader(head.subarray(0, bytesRead), file);
  } catch (error) {
    if (error instanceof HyperslabError) return undefined;
    throw error;
  } finally {
    await handle.close();
  }
}

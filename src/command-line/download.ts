/** Answers that become files: beside their place first, so that a cut leaves nothing that looks whole. */
import { createWriteStream } from 'node:fs';
import fs from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { systemErrorCode } from '../errors.js';
import { INTERRUPTED, checkInterrupted } from './interrupted.js';
import { Progress } from './progress.js';
import { ToldError } from './told.js';

/** Writes a whole answer to a file; what was there stays until the new one is complete. */
export async function saveAnswer(response: Response, file: string): Promise<number> {
  const progress = new Progress(file, lengthOf(response));
  const partial = `${file}.${process.pid}.part`;
  try {
    await pipeline(response.body!, source => progress.through(source), createWriteStream(partial, { flags: 'wx' }), {
      signal: INTERRUPTED,
    });
    await fs.rename(partial, file);
  } catch (error) {
    await fs.rm(partial, { force: true });
    checkInterrupted();
    throw new ToldError(`${file} was not written: ${reasonOf(error)}`);
  } finally {
    progress.end();
  }
  return (await fs.stat(file)).size;
}

/** Bytes that will come; unknown of what is compressed on the way. */
function lengthOf({ headers }: Response): number | undefined {
  const told = headers.get('content-length');
  return told === null || headers.has('content-encoding') ? undefined : Number(told);
}

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'the folder is not there.',
  EACCES: 'the folder may not be written.',
  ENOSPC: 'the disk is full.',
  EISDIR: 'a folder has that name.',
};

function reasonOf(error: unknown): string {
  const code = systemErrorCode(error);
  if (code === undefined) return 'the answer was cut. What was there before is as it was.';
  return REASONS[code] ?? `${code}.`;
}

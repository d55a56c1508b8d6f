/** Answers that become files: beside their place first, so that a cut leaves nothing that looks whole. */
import { createWriteStream } from 'node:fs';
import fs from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import { note, Progress, sizeText } from './output.js';
import { ToldError } from './told.js';

/** Writes a whole answer to a file; what was there stays until the new one is complete. */
export async function saveAnswer(response: Response, file: string): Promise<number> {
  const told = response.headers.get('content-length');
  const progress = new Progress(file, told === null ? undefined : Number(told));
  const partial = `${file}.${process.pid}.part`;
  try {
    await pipeline(response.body!, source => progress.through(source), createWriteStream(partial, { flags: 'wx' }));
    await fs.rename(partial, file);
  } catch (error) {
    await fs.rm(partial, { force: true });
    throw new ToldError(`${file} was not written: ${(error as Error).message}.`);
  } finally {
    progress.end();
  }
  const { size } = await fs.stat(file);
  note(`${file}: ${sizeText(size)}`);
  return size;
}

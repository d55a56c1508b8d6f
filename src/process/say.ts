/** Sentences for whoever started the service, on standard error. */
import { ConfigError } from '../setting.js';
import { isShortage } from '../file/descriptors.js';
import { FolderInUse } from '../file/folder-lock.js';
import { UsageError } from './flags.js';

/** What a person can mend without knowing the program: the sentence says how. */
const TOLD: readonly (new (...args: never[]) => Error)[] = [ConfigError, FolderInUse, UsageError];

export function say(sentence: string): void {
  process.stderr.write(`${sentence}\n`);
}

/** One line for any error. */
export function sentenceOf(error: unknown): string {
  if (TOLD.some(kind => error instanceof kind)) return (error as Error).message;
  if (isShortage(error)) {
    return 'Hyperslab finds no file descriptor (EMFILE). Nothing is lost: let it have more (ulimit -n), or end what else has them, and start it again.';
  }
  const message = error instanceof Error ? error.message : String(error);
  return `Hyperslab ends after an error that it did not expect: ${message.replaceAll(/\s+/g, ' ')}. Please report it, with the log.`;
}

/** 2 where the command was not understood, 1 for all else. */
export function statusOf(error: unknown): number {
  return error instanceof UsageError ? 2 : 1;
}

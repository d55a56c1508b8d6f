/** Why a file is not read or written any more, in the sentences that clients get. None names a path. */
import { CONTAINERS } from '../containers.js';
import { fail, HyperslabError } from '../errors.js';
import type { HeadKind } from './head.js';

/** @throws file_changed */
export function failChanged(
  reason: 'deleted' | 'replaced' | 'truncated' | 'forgotten' | 'header' | 'written',
  detail: string,
): never {
  return fail('file_changed', detail, { reason });
}

/** The same error with the name of the part that it is about, where an array lies in several files. */
export function ofPart(error: unknown, part: string): unknown {
  if (!(error instanceof HyperslabError) || error.values['part'] !== undefined) return error;
  return new HyperslabError(error.code, `Part ${part}: ${error.message}`, { ...error.values, part }, { cause: error });
}

/** @throws file_changed */
export function failReplaced(): never {
  return failChanged('replaced', 'Another file took the place of this one. Repeat the request to read the new file.');
}

/** @throws file_changed */
export function failHeader(): never {
  return failChanged(
    'header',
    'Another array was written over this one. Ask what the dataset is now, and repeat the request.',
  );
}

/** @throws file_changed */
export function failWritten(): never {
  return failChanged('written', 'Another program wrote the file while it was being read. Repeat the request.');
}

/** @throws file_changed */
export function failNoArray(): never {
  return failChanged(
    'header',
    'What stands in the file is not the whole array that was registered, and none that can be served. Put one there, or forget the dataset.',
  );
}

/** @throws file_changed */
export function failKind(kind: HeadKind): never {
  return failChanged(
    'header',
    `The file was registered as raw and begins as ${titleOf(kind)} now. Forget the dataset and register what the file holds, or put the old one back.`,
  );
}

function titleOf(kind: HeadKind): string {
  return CONTAINERS.find(({ suffixes }) => suffixes[0] === kind)?.title ?? kind;
}

/** The file has `bytes` bytes and `endBytes` of them are needed. @throws file_changed */
export function failTruncated(bytes: number, endBytes: number): never {
  return failChanged(
    'truncated',
    `The file has ${bytes} bytes; ${endBytes} are needed. Restore it, or forget the dataset and register it anew.`,
  );
}

/** @throws file_changed */
export function failForgotten(): never {
  return failChanged(
    'forgotten',
    'The dataset was forgotten or replaced while the request waited. Repeat the request.',
  );
}

/** The place that a write was meant for was cut off while it waited. @throws moved */
export function failCutOff(shape: readonly number[]): never {
  return fail(
    'moved',
    `The array was cut off while the write waited, and its place with it; it has the shape [${shape.join(', ')}] now. Look at what is there, and write again.`,
    { shape },
  );
}

/** What whoever comes while a stream is being applied is told. */
export function bulkLoadError(): HyperslabError {
  return new HyperslabError('bulk_load', 'A stream is being written to this file. Repeat the request when it is done.');
}

/** The refusal of a file whose journal cannot be replayed. @throws quarantined */
export function failDamaged(why: string): never {
  return fail(
    'quarantined',
    `The dataset is not served: ${why}. Restore the file and its journal from a backup, or forget the dataset, which drops the journal.`,
    { reason: why },
  );
}

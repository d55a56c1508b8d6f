/** Why a file is not read or written any more, in the sentences that clients get. None names a path. */
import { fail, HyperslabError } from '../errors.js';

/** @throws file_changed */
export function failChanged(reason: 'deleted' | 'replaced' | 'truncated' | 'forgotten', detail: string): never {
  return fail('file_changed', detail, { reason });
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

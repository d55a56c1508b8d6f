/** What the kernel says → what a client is told. The path never is part of it. */
import { constants } from 'node:os';
import { HyperslabError, systemErrorCode, type ErrorCode } from '../errors.js';

const TRANSLATIONS: Readonly<Record<string, { code: ErrorCode; detail: string }>> = {
  ENOSPC: { code: 'disk_full', detail: 'The disk has no room for it. Free space or ask for less, then repeat.' },
  EDQUOT: { code: 'disk_full', detail: 'The disk quota is used up. Free space or ask for less, then repeat.' },
  EFBIG: { code: 'too_large', detail: 'The file system cannot hold a file of this size. Choose a smaller array.' },
  ENOENT: { code: 'file_changed', detail: 'The file is gone. Put it back, or forget the dataset.' },
  ELOOP: {
    code: 'path_forbidden',
    detail: 'A link stands on the path of the file now, and none is followed. Put back what was there.',
  },
  ENOTDIR: {
    code: 'path_forbidden',
    detail: 'What stands on the path of the file is no folder any more. Put back what was there.',
  },
  EMFILE: { code: 'busy', detail: 'Too many files are open. Repeat the request in a moment.' },
  ENFILE: { code: 'busy', detail: 'Too many files are open. Repeat the request in a moment.' },
};

/** The numbers that a C call answers with. */
export const { ENOSPC, EFBIG } = constants.errno;

/** The error that Node would throw for a full disk: workers know a system error by its number. @throws ENOSPC */
export function failNoSpace(): never {
  throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC', errno: -ENOSPC });
}

const userId = process.geteuid?.();

/** What a file that may not be opened, read or written is told with: whose right it is that is missing. */
const DENIED: Readonly<Record<string, string>> = {
  EACCES: `Give that user the right (chmod, or chown ${userId}), or run the service as the user who has it. A file that may be read alone takes mode r`,
  EPERM: `Give that user the right (chown ${userId}, chattr -i), or run the service as the user who has it. A file that may be read alone takes mode r`,
  EROFS: 'Its file system is mounted read-only. Use mode r, or mount it writable',
};

/** The HyperslabError for anything thrown by a file operation; HyperslabErrors pass unchanged. */
export function fromSystemError(error: unknown): HyperslabError {
  if (error instanceof HyperslabError) return error;
  const code = systemErrorCode(error);
  const known = code === undefined ? undefined : TRANSLATIONS[code];
  const remedy = code === undefined ? undefined : DENIED[code];
  if (remedy !== undefined) {
    const detail = `The service runs as user ${userId}, who may not open the file or its folder this way (${code}). ${remedy}.`;
    return new HyperslabError('file_denied', detail, { reason: code, user: userId }, { cause: error });
  }
  const values = code === 'ENOENT' ? { reason: 'deleted' } : {};
  if (known) return new HyperslabError(known.code, known.detail, values, { cause: error });
  return new HyperslabError(
    'io_error',
    `The storage answered ${code ?? 'with an unknown error'}. Whoever runs the service should look at its disk; the log has more.`,
    {},
    { cause: error },
  );
}

/** Runs a file operation and translates what it throws. */
export async function translated<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw fromSystemError(error);
  }
}

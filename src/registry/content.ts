/**
 * Which format a file has. The content decides; a name that contradicts it, and a container that is not served, are
 * told. Who says `raw` may read anything, but does not write over what another program needs to read the file.
 */
import { NPY, type Container } from '../containers.js';
import { fail, HyperslabError } from '../errors.js';
import type { FileFormat } from '../dataset/record.js';
import { containerOf, containersNamed, suffixOf } from '../formats/index.js';

/** The start of a file, and the bytes of the whole. */
export interface Content {
  readonly head: Uint8Array;
  readonly size: number;
}

const RAW = 'Its bytes as they are can be read with "format": "raw".';

/** Of a file that is to be registered. @throws not_an_array, format_mismatch, bad_npy */
export function formatOfContent(path: string, asked: FileFormat | undefined, { head, size }: Content): FileFormat {
  if (asked === 'raw') return asked;
  const found = containerOf(head, size)?.row;
  if (asked !== undefined && asked !== 'npy') {
    if (found && found.holds !== asked) failAsked(asked, found);
    return asked;
  }
  if (found?.holds !== undefined && asked === undefined) return found.holds;
  if (found && found !== NPY) throw notAnArray(found);
  if (asked === 'npy') return asked;
  const named = containersNamed(path);
  if (named.length === 0 || (found && named.includes(found))) return found ? 'npy' : 'raw';
  if (named.includes(NPY)) {
    const detail = `The file is named .npy and does not begin as one. Save it with np.save. ${RAW}`;
    return fail('bad_npy', detail, { suffix: suffixOf(path) });
  }
  // What begins with no signature is known by its name alone; its reader says what is wrong with it.
  const unsigned = named.find(({ magics, holds }) => magics.length === 0 && holds !== undefined);
  if (!found && unsigned) return unsigned.holds!;
  const { title } = named[0]!;
  const remedy = found ? 'Rename it, or register it with "format": "npy".' : `Look whether it is whole. ${RAW}`;
  return fail(
    'format_mismatch',
    `The name ends in ${suffixOf(path)}, as ${title} does, and the file ${found ? `is ${found.title}` : 'does not begin as one'}. ${remedy}`,
    { suffix: suffixOf(path), found: found?.title ?? null },
  );
}

/** Of a file that begins as a container whose arrays are not served, or as one that holds none. */
export function notAnArray({ title, remedy }: Container): HyperslabError {
  return new HyperslabError('not_an_array', `The file is ${title}, which is not served. ${remedy} ${RAW}`, {
    found: title,
  });
}

function failAsked(asked: FileFormat, found: Container): never {
  return fail(
    'format_mismatch',
    `The file is ${found.title}, and "format" says ${asked}. Leave format out: the content decides.`,
    { found: found.title, format: asked },
  );
}

/** For an array that is to be written in a file that somebody else made. @throws format_mismatch */
export function checkWritableContent({ head, size }: Content, format: FileFormat, offset: number): void {
  if (format === 'npz') {
    fail(
      'format_mismatch',
      'The members of a .npz have checksums, which a write would make wrong. Use mode r or c; or import the member, ' +
        'and write the array that is made of it.',
      { format },
    );
  }
  const found = format === 'raw' ? containerOf(head, size) : undefined;
  if (!found || offset >= found.headerBytes) return;
  const { row, headerBytes } = found;
  const instead = row === NPY ? 'Register it as the .npy that it is, without "format": "raw"' : row.remedy;
  fail(
    'format_mismatch',
    `The file is ${row.title}: raw writes from byte ${offset} on would destroy it. Use mode r. ${instead.replace(/\.$/, '')}; ` +
      `or give an "offset" behind its header, at least ${headerBytes}.`,
    { found: row.title, offset, header_bytes: headerBytes },
  );
}

const RAW_SUFFIXES: readonly string[] = ['.raw', '.dat', '.bin', '.mmap', '.memmap'];

/** Of a file that is to be made: what its name says, or what is asked for. @throws format_mismatch */
export function formatOfName(path: string | undefined, asked: FileFormat | undefined): FileFormat {
  const named = path === undefined ? [] : containersNamed(path);
  const suffix = suffixOf(path ?? '');
  const due = named.includes(NPY) ? 'npy' : RAW_SUFFIXES.includes(suffix) ? 'raw' : undefined;
  if (named.length > 0 && due === undefined) {
    fail(
      'format_mismatch',
      `The name ends in ${suffix}, as ${named[0]!.title} does; arrays are made as .npy or raw. End it in .npy or .raw.`,
      { suffix },
    );
  }
  if (due !== undefined && asked !== undefined && asked !== due) {
    fail(
      'format_mismatch',
      `The name ends in ${suffix}, which says ${due}, and "format" says ${asked}. Leave format out, or change the name.`,
      { suffix, format: asked },
    );
  }
  return asked ?? due ?? 'npy';
}

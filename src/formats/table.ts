/** The formats that answers and bodies come in, as data: the HTTP layer negotiates by walking this table. */

export interface FormatRow {
  /** The value of `?format=` and the last part of an ETag. */
  readonly name: string;
  /** Media types that mean this format, in `Accept` and in `Content-Type`; the first one is what answers carry. */
  readonly mediaTypes: readonly string[];
  /** What a browser does with a file of it: shows it, or keeps it. */
  readonly disposition: 'inline' | 'attachment';
  /** What stands behind the media type of an answer. */
  readonly parameters?: string;
  /** It holds one array and nothing else, so that one statistic can be answered in it. */
  readonly isArray: boolean;
  /** Which elements it can hold. */
  readonly holds: 'any' | 'tables' | 'columns' | 'typed tables' | 'pictures';
  /** Bytes of elements and little else: they are compressed only for who takes nothing else. */
  readonly isBytes?: boolean;
  /** Bodies of writes may be in it. */
  readonly isTaken: boolean;
  /** For the API document and for the list in a 406. */
  readonly describes: string;
}

/** In order of preference: the first is the default, also for a wildcard in `Accept`. */
export const FORMATS = [
  {
    name: 'json',
    mediaTypes: ['application/json'],
    parameters: 'charset=utf-8',
    disposition: 'inline',
    isArray: false,
    holds: 'any',
    isTaken: true,
    describes: 'nested lists of values; numbers have the shortest digits that round-trip in the dtype',
  },
  {
    name: 'raw',
    mediaTypes: ['application/octet-stream'],
    disposition: 'attachment',
    isArray: true,
    isBytes: true,
    holds: 'any',
    isTaken: true,
    describes: 'the elements in C order and nothing else, in the byte order of the dtype',
  },
  {
    name: 'npy',
    mediaTypes: ['application/x-npy'],
    disposition: 'attachment',
    isArray: true,
    isBytes: true,
    holds: 'any',
    isTaken: true,
    describes: 'a .npy file as np.save writes it: dtype and shape, then the elements in C order',
  },
  {
    name: 'csv',
    mediaTypes: ['text/csv'],
    parameters: 'charset=utf-8; header=present',
    disposition: 'attachment',
    isArray: false,
    holds: 'tables',
    isTaken: true,
    describes: 'a line for each row, with commas, and one of names before them (RFC 4180)',
  },
  {
    name: 'ndjson',
    mediaTypes: ['application/x-ndjson'],
    disposition: 'attachment',
    isArray: false,
    holds: 'tables',
    isTaken: true,
    describes: 'a line for each row, as a JSON object by the names of the columns',
  },
  {
    name: 'arrow',
    mediaTypes: ['application/vnd.apache.arrow.stream'],
    disposition: 'attachment',
    isArray: false,
    isBytes: true,
    holds: 'columns',
    isTaken: true,
    describes: 'a stream of Arrow, a column for each of a table; of more axes, one of tensors',
  },
  {
    name: 'parquet',
    mediaTypes: ['application/vnd.apache.parquet'],
    disposition: 'attachment',
    isArray: false,
    holds: 'typed tables',
    isTaken: false,
    describes: 'a file of Parquet, a column for each of a table',
  },
  {
    name: 'npz',
    mediaTypes: ['application/x-npz'],
    disposition: 'attachment',
    isArray: false,
    holds: 'any',
    isTaken: true,
    describes: 'a .npz as np.savez writes it, of one array by the name of the dataset',
  },
  {
    name: 'png',
    mediaTypes: ['image/png'],
    disposition: 'inline',
    isArray: false,
    holds: 'pictures',
    isTaken: false,
    describes: 'a picture of the numbers along two axes, or of colours as they are',
  },
] as const satisfies readonly FormatRow[];

export type FormatName = (typeof FORMATS)[number]['name'];

export function formatRow(name: FormatName): FormatRow {
  return FORMATS.find(format => format.name === name)!;
}

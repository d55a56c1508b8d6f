/** The formats that answers and bodies come in, as data: the HTTP layer negotiates by walking this table. */

export interface FormatRow {
  /** The value of `?format=` and the last part of an ETag. */
  readonly name: string;
  /** Media types that mean this format, in `Accept` and in `Content-Type`; the first one is what answers carry. */
  readonly mediaTypes: readonly string[];
  /** What a browser does with a file of it: shows it, or keeps it. */
  readonly disposition: 'inline' | 'attachment';
  /** It holds one array and nothing else, so that one statistic can be answered in it. */
  readonly isArray: boolean;
  /** For the API document and for the list in a 406. */
  readonly describes: string;
}

/** In order of preference: the first is the default, also for a wildcard in `Accept`. */
export const FORMATS = [
  {
    name: 'json',
    mediaTypes: ['application/json'],
    disposition: 'inline',
    isArray: false,
    describes: 'nested lists of values; numbers have the shortest digits that round-trip in the dtype',
  },
  {
    name: 'raw',
    mediaTypes: ['application/octet-stream'],
    disposition: 'attachment',
    isArray: true,
    describes: 'the elements in C order and nothing else, in the byte order of the dtype',
  },
  {
    name: 'npy',
    mediaTypes: ['application/x-npy'],
    disposition: 'attachment',
    isArray: true,
    describes: 'a .npy file as np.save writes it: dtype and shape, then the elements in C order',
  },
] as const satisfies readonly FormatRow[];

export type FormatName = (typeof FORMATS)[number]['name'];

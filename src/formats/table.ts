/** The formats that answers and bodies come in, as data: the HTTP layer negotiates by walking this table. */

export interface FormatRow {
  /** The value of `?format=` and the last part of an ETag. */
  readonly name: string;
  /** Media types that mean this format, in `Accept` and in `Content-Type`; the first one is what answers carry. */
  readonly mediaTypes: readonly string[];
  /** For the API document and for the list in a 406. */
  readonly describes: string;
}

/** In order of preference: the first is the default, also for a wildcard in `Accept`. */
export const FORMATS = [
  {
    name: 'json',
    mediaTypes: ['application/json'],
    describes: 'nested lists of values; numbers have the shortest digits that round-trip in the dtype',
  },
  {
    name: 'raw',
    mediaTypes: ['application/octet-stream'],
    describes: 'the elements in C order and nothing else, in the byte order of the dtype',
  },
  {
    name: 'npy',
    mediaTypes: ['application/x-npy'],
    describes: 'a .npy file as np.save writes it: dtype and shape, then the elements in C order',
  },
] as const satisfies readonly FormatRow[];

export type FormatName = (typeof FORMATS)[number]['name'];

/** What is no dtype that is served, and the way to its bytes. */
import { fail } from '../errors.js';
import { NUMBERS } from './numbers.js';

/** What is known beside the dtype itself. */
export interface Refusal {
  /** What is wrong with it, as the end of a sentence. */
  readonly why?: string;
  /** Where it stands in the header of a file: the bytes before its first element, for the remedy. */
  readonly headerBytes?: number | undefined;
}

/** What dtypes that are refused have instead, by their spelling; the first row that fits. */
const REMEDIES: readonly { readonly pattern: RegExp; readonly remedy: string }[] = [
  {
    pattern: /^[<>|=]?(O8?|object_?|S0?|U0?|V0?|T|str_?|bytes_?|void|a[0-9]*)$/,
    remedy: 'Text has a length, such as "<U12" or "|S5"; objects become one of these with a.astype in numpy. ',
  },
  { pattern: /(?:)/, remedy: '' },
];

/** @throws unsupported_dtype, with the way to its bytes */
export function failUnsupported(text: string, { why, headerBytes }: Refusal = {}): never {
  const { remedy } = REMEDIES.find(({ pattern }) => pattern.test(text))!;
  const offset = headerBytes === undefined ? '"offset"' : `"offset": ${headerBytes}`;
  const short = quote(text);
  return fail(
    'unsupported_dtype',
    `${why === undefined ? `${short} is not a supported dtype` : `${short} cannot be a dtype: ${why}`}. Use one of ` +
      `${NUMBERS.map(({ name }) => name).join(', ')}, complex64, complex128, datetime64[s], timedelta64[ms], S5, U12, V16, or ` +
      `fields as [["x", "<f4"], ["t", "<M8[s]"]]. ${remedy}To serve the bytes of a file as they are, register it with ` +
      `"format": "raw", "dtype": "|u1", ${offset} and "shape" with a last axis of an item's bytes.`,
    {
      dtype: text.slice(0, 80),
      supported: NUMBERS.map(({ name }) => name),
      instead: { format: 'raw', dtype: '|u1', ...(headerBytes !== undefined && { offset: headerBytes }) },
    },
  );
}

function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}

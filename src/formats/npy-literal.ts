/**
 * The one Python literal that a .npy header is: a dict of three known keys. Nothing is evaluated; what numpy never
 * writes (comments, escapes, underscores in integers, nested values) is refused.
 */
import { failUnsupported } from '../dtype/index.js';
import { fail } from '../errors.js';

/** The dict as written: `descr` is not yet a dtype, `shape` not yet checked (lengths may be beyond 2^53). */
export interface NpyLiteral {
  readonly descr: string;
  readonly fortran_order: boolean;
  readonly shape: readonly number[];
}

type Key = keyof NpyLiteral;
interface Cursor {
  readonly text: string;
  at: number;
  readonly options: LiteralOptions;
}

export interface LiteralOptions {
  /** Python 2 wrote longs as `3L`; version 3 of the format never did. */
  readonly longs: boolean;
  /** Bytes before the first element of the file, for the remedy. */
  readonly headerBytes: number;
}

const SPACE = /[ \t\r\n]*/y;
const STRING = /'([^'"\\\r\n]*)'|"([^'"\\\r\n]*)"/y;
const INTEGER = /(0|[1-9][0-9]*)(L?)/y;
const BOOLEAN = /(True|False)(?![A-Za-z0-9_])/y;

/**
 * Reads the dict.
 * @throws bad_npy, and unsupported_dtype where `descr` is a list (a structured dtype) or a tuple
 */
export function readNpyLiteral(text: string, options: LiteralOptions): NpyLiteral {
  const cursor: Cursor = { text, at: 0, options };
  const found: { descr?: string; fortran_order?: boolean; shape?: number[] } = {};
  // To Python, white space that begins a line outside the dict is an indent.
  if (/^[ \t]*[\r\n]|[\r\n][ \t]+$/.test(text)) refuse(cursor, 'lines stand before the dict, or spaces after its line');
  expect(cursor, '{');
  while (!take(cursor, '}')) {
    const key = readKey(cursor);
    if (found[key] !== undefined) refuse(cursor, `it has the key '${key}' twice`);
    expect(cursor, ':');
    if (key === 'descr') found.descr = readDescr(cursor);
    else if (key === 'fortran_order') found.fortran_order = readBoolean(cursor);
    else found.shape = readShape(cursor);
    if (take(cursor, ',')) continue;
    expect(cursor, '}');
    break;
  }
  skipSpace(cursor);
  if (cursor.at !== text.length) refuse(cursor, 'something follows the dict');
  const { descr, fortran_order, shape } = found;
  if (descr === undefined || fortran_order === undefined || shape === undefined) {
    return refuse(cursor, `the keys 'descr', 'fortran_order' and 'shape' are needed`);
  }
  return { descr, fortran_order, shape };
}

function readKey(cursor: Cursor): Key {
  const key = readString(cursor, 'a key in quotes');
  if (key === 'descr' || key === 'fortran_order' || key === 'shape') return key;
  return refuse(cursor, `the only keys are 'descr', 'fortran_order' and 'shape'`);
}

function readDescr(cursor: Cursor): string {
  skipSpace(cursor);
  const next = cursor.text[cursor.at];
  // A structured dtype, or a nested one.
  if (next === '[' || next === '(') failUnsupported(cursor.text.slice(cursor.at), cursor.options);
  return readString(cursor, 'a dtype in quotes');
}

function readString(cursor: Cursor, what: string): string {
  const match = matchAt(cursor, STRING) ?? refuse(cursor, `${what} should stand there`);
  return match[1] ?? match[2]!;
}

function readBoolean(cursor: Cursor): boolean {
  const match = matchAt(cursor, BOOLEAN) ?? refuse(cursor, 'True or False should stand there');
  return match[1] === 'True';
}

/** `()`, `(3,)`, `(3, 4)`, `(3, 4,)`; `(3)` is no tuple in Python, and refused as numpy does. */
function readShape(cursor: Cursor): number[] {
  const shape: number[] = [];
  expect(cursor, '(');
  while (!take(cursor, ')')) {
    const match = matchAt(cursor, INTEGER) ?? refuse(cursor, 'a length in digits should stand there');
    if (match[2] === 'L' && !cursor.options.longs) refuse(cursor, 'integers have no L suffix in this version');
    shape.push(Number(match[1]));
    if (take(cursor, ',')) continue;
    if (shape.length === 1) refuse(cursor, 'a shape of one axis is written (n,)');
    expect(cursor, ')');
    break;
  }
  return shape;
}

function matchAt(cursor: Cursor, pattern: RegExp): RegExpExecArray | undefined {
  skipSpace(cursor);
  pattern.lastIndex = cursor.at;
  const match = pattern.exec(cursor.text);
  if (!match) return undefined;
  cursor.at = pattern.lastIndex;
  return match;
}

function skipSpace(cursor: Cursor): void {
  SPACE.lastIndex = cursor.at;
  SPACE.exec(cursor.text);
  cursor.at = SPACE.lastIndex;
}

function take(cursor: Cursor, character: string): boolean {
  skipSpace(cursor);
  if (cursor.text[cursor.at] !== character) return false;
  cursor.at++;
  return true;
}

function expect(cursor: Cursor, character: string): void {
  if (!take(cursor, character)) refuse(cursor, `"${character}" should stand there`);
}

function refuse(cursor: Cursor, why: string): never {
  return fail(
    'bad_npy',
    `The .npy header is not what np.save writes: at character ${cursor.at}, ${why}. Save the array with np.save.`,
    {
      position: cursor.at,
      header: cursor.text.slice(0, 200),
    },
  );
}

/**
 * The one Python literal that a .npy header is: a dict of three known keys, and texts as Python's repr writes them. Nothing
 * is evaluated; what numpy never writes (comments, underscores in integers, other nested values) is refused.
 */
import { fail } from '../errors.js';
import { LIMITS } from '../limits.js';

/** What `descr` is made of: texts, lengths, and lists or tuples of these. */
type Descr = string | number | readonly Descr[];

/** The dict as written: `descr` is not yet a dtype, `shape` not yet checked (lengths may be beyond 2^53). */
export interface NpyLiteral {
  readonly descr: Descr;
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
const STRING = /u?(?:'((?:[^'\\\r\n]|\\[^\r\n])*)'|"((?:[^"\\\r\n]|\\[^\r\n])*)")/y;
const ESCAPE = /\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([0-7]{1,3})|(.))/gs;
const ESCAPED = new Map(Object.entries({ n: '\n', t: '\t', r: '\r', a: '\x07', b: '\b', f: '\f', v: '\v' }));
const INTEGER = /(0|[1-9][0-9]*)(L?)/y;
const BOOLEAN = /(True|False)(?![A-Za-z0-9_])/y;

/**
 * Reads the dict.
 * @throws bad_npy
 */
export function readNpyLiteral(text: string, options: LiteralOptions): NpyLiteral {
  const cursor: Cursor = { text, at: 0, options };
  const found: { descr?: Descr; fortran_order?: boolean; shape?: number[] } = {};
  // To Python, white space that begins a line outside the dict is an indent.
  if (/^[ \t]*[\r\n]|[\r\n][ \t]+$/.test(text)) refuse(cursor, 'lines stand before the dict, or spaces after its line');
  expect(cursor, '{');
  while (!take(cursor, '}')) {
    const key = readKey(cursor);
    if (found[key] !== undefined) refuse(cursor, `it has the key '${key}' twice`);
    expect(cursor, ':');
    if (key === 'descr') found.descr = readDescr(cursor, 0);
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

/** A text; or a list of fields, each a tuple of a name, a format and maybe a shape. */
function readDescr(cursor: Cursor, depth: number): Descr {
  if (depth > 4 * LIMITS.dtypeDepthMax) refuse(cursor, 'the dtype is nested too deep');
  const isTuple = take(cursor, '(');
  if (!isTuple && !take(cursor, '[')) {
    const match = depth > 0 ? matchAt(cursor, INTEGER) : undefined;
    return match ? Number(match[1]) : readString(cursor, 'a dtype in quotes');
  }
  const members: Descr[] = [];
  const close = isTuple ? ')' : ']';
  while (!take(cursor, close)) {
    members.push(readDescr(cursor, depth + 1));
    if (take(cursor, ',')) continue;
    // `(x)` is x.
    if (isTuple && members.length === 1) {
      expect(cursor, ')');
      return members[0]!;
    }
    expect(cursor, close);
    break;
  }
  return members;
}

function readString(cursor: Cursor, what: string): string {
  const match = matchAt(cursor, STRING) ?? refuse(cursor, `${what} should stand there`);
  const written = match[1] ?? match[2]!;
  if (!written.includes('\\')) return written;
  return written.replaceAll(ESCAPE, (escape, x?: string, u?: string, U?: string, octal?: string, other?: string) => {
    const hex = x ?? u ?? U;
    if (hex === undefined && octal === undefined) {
      if (other === '\\' || other === "'" || other === '"') return other;
      return ESCAPED.get(other!) ?? (/[xuUN]/.test(other!) ? refuse(cursor, `${escape} is no escape`) : escape);
    }
    const code = hex === undefined ? Number.parseInt(octal!, 8) : Number.parseInt(hex, 16);
    return code <= 0x10ffff ? String.fromCodePoint(code) : refuse(cursor, `${escape} is no character`);
  });
}

/** Python's repr of a text: in single quotes unless only those are in it; what does not print is escaped. */
export function writePythonText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  let written = '';
  for (const character of text) {
    const short = SHORT_ESCAPES.get(character);
    if (character === quote || character === '\\') written += `\\${character}`;
    else if (short !== undefined) written += short;
    else
      written +=
        character === ' ' || !/[\p{C}\p{Z}]/u.test(character) ? character : escapeOf(character.codePointAt(0)!);
  }
  return `${quote}${written}${quote}`;
}

const SHORT_ESCAPES = new Map([
  ['\n', '\\n'],
  ['\t', '\\t'],
  ['\r', '\\r'],
]);

function escapeOf(code: number): string {
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
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

/** What a registration asks for, with numpy's defaults filled in. Everything is checked here, before a file is touched. */
import { fail } from '../errors.js';
import { shown } from '../shown.js';
import { dtypeOf, type DType } from '../dtype/index.js';
import type { FileFormat, Mode, PartsAsked } from '../dataset/record.js';
import { stringifyExactJson } from '../formats/index.js';
import { checkStrides } from '../layout/strides.js';
import { checkShape, type Order } from '../layout/view.js';
import { integerOf } from '../selection.js';
import { LIMITS } from '../limits.js';
import { formatOfName } from './content.js';
import { checkName } from './names.js';
import { isPattern } from './part-names.js';

/** The body of POST /v1/datasets. */
export interface CreateRequest {
  readonly name: string;
  /** As numpy names it, or its description in JSON. */
  readonly dtype?: unknown;
  readonly shape?: readonly number[];
  readonly order?: Order;
  readonly mode?: Mode;
  readonly path?: string;
  readonly offset?: number;
  readonly strides?: readonly number[];
  readonly format?: FileFormat;
  /** The array in a container. */
  readonly member?: string;
  readonly fill?: unknown;
  readonly sparse?: boolean;
  readonly overwrite?: boolean;
  readonly external?: boolean;
  readonly attrs?: Readonly<Record<string, unknown>>;
  readonly dims?: readonly string[] | null;
}

/** The body of POST /v1/datasets: also of an array in several files. */
export interface AskedDataset extends Omit<CreateRequest, 'shape'> {
  /** Of one part, where there are several; the first length null is what each holds. */
  readonly shape?: readonly (number | null)[];
  readonly paths?: readonly string[];
  readonly axis?: number;
}

/** An array in several files, as it is meant. */
export interface PartsRequest extends Pick<CreateRequest, 'name' | 'external' | 'attrs' | 'dims'> {
  readonly mode: Mode;
  readonly asked: PartsAsked;
}

/** Whether several files are asked for: by a list, or by a path with a `*`. */
export function asksParts({ path, paths }: AskedDataset): boolean {
  return (paths !== undefined && (paths.length > 0 || path === undefined)) || isPattern(path);
}

/** What an array in several files may not have. */
const NOT_OF_PARTS = ['fill', 'sparse', 'overwrite', 'strides', 'member'] as const;

/**
 * Checks what can be checked without looking at any file.
 * @throws bad_name, bad_request, bad_shape, bad_axis, unsupported_dtype
 */
export function checkPartsRequest(request: AskedDataset): PartsRequest {
  const { name, path, paths, axis = 0, mode = 'r', shape, dtype, order, offset, format } = request;
  checkName(name);
  if (axis !== 0) {
    fail('bad_axis', `axis is ${axis}; files follow each other along axis 0. Leave axis out.`, { axis, limit: 0 });
  }
  checkNamed(path, paths);
  for (const member of NOT_OF_PARTS) {
    if (request[member] !== undefined)
      fail('bad_request', `${member} is not of an array in several files. Leave it out.`);
  }
  if (mode !== 'r' && mode !== 'r+') {
    fail('bad_request', `An array in several files has mode r or r+, not ${mode}.`, { mode });
  }
  const hasShape = shape !== undefined && shape.length > 0;
  if (hasShape) checkPartShape(shape, dtype === undefined ? 1 : dtypeOf(dtype).itemsize);
  checkOffset(offset);
  checkAttrs(request.attrs ?? {});
  const asked: PartsAsked = {
    ...(path === undefined ? { paths: paths! } : { pattern: path }),
    ...(dtype !== undefined && { dtype }),
    ...(order && { order }),
    ...(offset !== undefined && { offset: offset + 0 }),
    ...(format && { format }),
    ...(hasShape && { shape }),
  };
  const { external, attrs, dims } = request;
  return {
    name,
    mode,
    asked,
    ...(external !== undefined && { external }),
    ...(attrs && { attrs }),
    ...(dims && { dims }),
  };
}

/** The shape of one part: the first length null is what each holds. @throws bad_request, bad_shape */
function checkPartShape(shape: readonly (number | null)[], itemsize: number): void {
  const [rows, ...row] = shape;
  if (row.includes(null)) fail('bad_request', 'Of the lengths of shape only the first may be null.');
  checkShape([rows ?? 0, ...(row as number[])], itemsize);
}

/** Of files that are asked for one is given: their list, or their pattern. @throws bad_request */
export function checkNamed(path: string | undefined, paths: readonly string[] | undefined): void {
  if (path !== undefined && (paths?.length ?? 0) > 0) {
    fail('bad_request', 'paths and path say the same. Give one of them.');
  }
  if (path !== undefined) checkPattern(path);
  else if (paths?.length === 0) fail('bad_request', 'paths names no file. Give at least one.');
}

/** @throws bad_request */
function checkPattern(path: string): void {
  const folder = path.slice(0, path.lastIndexOf('/') + 1);
  if (folder.includes('*')) fail('bad_request', 'A * may stand in the name of the files, not in that of a folder.');
}

/** The request for one file, or for none. @throws bad_request */
export function plainRequest({ paths: _, axis, shape, ...rest }: AskedDataset): CreateRequest {
  if (axis !== undefined) fail('bad_request', 'axis belongs to an array in several files. Leave it out.');
  if (!shape) return rest;
  if (shape.includes(null)) {
    fail(
      'bad_request',
      'A length of shape is null; only the first one of the parts of an array in several files may be.',
    );
  }
  return { ...rest, shape: shape as readonly number[] };
}

/** True when the request makes a new file, false when it registers one that is there. */
export function makesFile(request: CreateRequest): boolean {
  return request.path === undefined || request.mode === 'w+';
}

/**
 * Checks what can be checked without looking at any file.
 * @returns the request as it is meant: for a file that is there, a shape of no axes is no shape; -0 is 0
 * @throws bad_name, bad_request, bad_shape, unsupported_dtype
 */
export function checkRequest(asked: CreateRequest): CreateRequest {
  const { shape, offset, strides, ...rest } = asked;
  const isShapeMeant = shape !== undefined && (shape.length > 0 || makesFile(asked));
  const request: CreateRequest = {
    ...rest,
    ...(isShapeMeant && { shape: shape.map(length => length + 0) }),
    ...(offset !== undefined && { offset: offset + 0 }),
    ...(strides && strides.length > 0 && { strides: strides.map(stride => stride + 0) }),
  };
  checkMeant(request);
  return request;
}

function checkMeant(request: CreateRequest): void {
  checkName(request.name);
  const dtype = request.dtype === undefined ? undefined : dtypeOf(request.dtype);
  if (request.shape) checkShape(request.shape, dtype?.itemsize ?? 1);
  checkOffset(request.offset);
  if (request.strides) checkStrided(request, request.strides);
  checkAttrs(request.attrs ?? {});
  if (request.member !== undefined && (makesFile(request) || request.format === 'raw' || request.format === 'npy')) {
    fail(
      'bad_request',
      'member names an array in a .npz or .safetensors that is there: give its path, and leave format out.',
    );
  }
  if (makesFile(request)) checkNewArray(request);
  else if (request.fill !== undefined || request.sparse !== undefined) {
    fail('bad_request', 'fill and sparse belong to new arrays; with a path they need mode w+.');
  } else if (request.overwrite) {
    fail('bad_request', 'overwrite replaces a file by a new array and needs mode w+.');
  }
}

function checkNewArray(request: CreateRequest): void {
  if (request.mode === 'c') {
    fail('bad_request', 'Mode c lies over a file that is there: give its path. Nothing is written to the file.');
  }
  if (request.dtype === undefined || request.shape === undefined) {
    fail('bad_request', 'A new array needs dtype and shape, for example {"dtype": "<f4", "shape": [1000, 10]}.');
  }
  if (request.format !== undefined && request.format !== 'npy' && request.format !== 'raw') {
    fail(
      'bad_request',
      `Arrays are made as .npy or raw; a .${request.format} is written by other programs. Leave format out.`,
    );
  }
  if (request.mode === 'r') fail('bad_request', 'A new array cannot have mode r; leave mode out or use r+.');
  if (request.overwrite && request.mode !== 'w+') {
    fail('bad_request', 'overwrite needs mode w+: replacing an array is asked for twice on purpose.');
  }
  if (request.sparse && request.fill !== undefined) fail('bad_request', 'A sparse array is all zeros; leave fill out.');
  if (request.offset !== undefined && formatOfName(request.path, request.format) !== 'raw') {
    fail(
      'bad_request',
      'offset belongs to raw files; a .npy starts where its header says. Leave it out, or use format raw.',
    );
  }
}

function checkStrided(request: CreateRequest, strides: readonly number[]): void {
  if (makesFile(request)) {
    fail('bad_request', 'strides say how a file that is there is read; a new array has order C or F. Leave them out.');
  }
  if (!request.shape) fail('bad_request', 'strides need a shape, such as "shape": [1000, 2], "strides": [16, 4].');
  if (request.order) fail('bad_request', 'strides say the order of the elements already. Leave order out.');
  checkStrides(request.shape, strides);
}

function checkOffset(offset: number | undefined): void {
  if (offset !== undefined && !(Number.isSafeInteger(offset) && offset >= 0)) {
    fail('bad_request', `offset is ${offset}; it takes a whole number of bytes from 0 to ${Number.MAX_SAFE_INTEGER}.`, {
      offset,
    });
  }
}

/** @throws too_large, bad_request for numbers that JSON cannot repeat */
export function checkAttrs(attrs: Readonly<Record<string, unknown>>): void {
  // Of what is far too large not all is looked at: a megabyte of members takes many milliseconds.
  const far = 2 * LIMITS.attrsBytesMax;
  if (leastBytesOf(attrs, far) > far) failAttrs(far, 'more than ');
  checkFinite(attrs, 'attrs');
  const bytes = Buffer.byteLength(stringifyExactJson(attrs));
  if (bytes > LIMITS.attrsBytesMax) failAttrs(bytes);
}

function failAttrs(bytes: number, least = ''): never {
  const limit = LIMITS.attrsBytesMax;
  const remedy = 'Make large values a dataset of their own.';
  fail('too_large', `attrs has ${least}${bytes} bytes as JSON; at most ${limit} are kept. ${remedy}`, {
    limit,
    asked: bytes,
  });
}

/** Bytes that a value has as JSON at least, looked at until they are more than `enough`. */
function leastBytesOf(value: unknown, enough: number): number {
  if (typeof value === 'string') return value.length + 2;
  if (typeof value !== 'object' || value === null) return 1;
  let bytes = 2;
  for (const name in value) {
    if (bytes > enough) return bytes;
    // A comma; and of an object the name, two quotes and a colon.
    bytes += 1 + leastBytesOf(Reflect.get(value, name), enough - bytes) + (Array.isArray(value) ? 0 : name.length + 3);
  }
  return bytes;
}

/** 1e999 was read as infinity, which JSON cannot say. */
function checkFinite(value: unknown, key: string): void {
  if (value === Number.POSITIVE_INFINITY || value === Number.NEGATIVE_INFINITY) {
    fail('bad_request', `attrs has a number that float64 cannot hold, at ${shown(key)}. Write it as a string.`, {
      key,
    });
  }
  if (typeof value !== 'object' || value === null) return;
  for (const [name, member] of Object.entries(value)) checkFinite(member, name);
}

/**
 * Names of axes, as they are given: each is one that `axis=` can name.
 * @throws bad_shape
 */
export function checkDims(dims: readonly string[] | null, rank: number): void {
  checkDimCount(dims, rank);
  const seen = new Set<string>();
  for (const [axis, name] of (dims ?? []).entries()) {
    const why = whyNoName(name, seen);
    if (why !== undefined) {
      fail(
        'bad_shape',
        `dims[${axis}] is ${shown(name)}, which ${why}. Give each axis a name of its own, such as "day".`,
        {
          axis,
          name: name.slice(0, 60),
        },
      );
    }
    seen.add(name);
  }
}

function whyNoName(name: string, seen: ReadonlySet<string>): string | undefined {
  if (name.trim() === '') return 'is no name';
  if (name.trim() !== name) return 'begins or ends with a space';
  if (name.includes(',')) return 'has a comma, and names stand between commas in axis=';
  if (integerOf(name) !== undefined) return 'means the axis of that number';
  return seen.has(name) ? 'another axis has already' : undefined;
}

/** @throws bad_shape */
export function checkDimCount(dims: readonly string[] | null, rank: number): void {
  if (dims && dims.length !== rank) {
    fail(
      'bad_shape',
      `dims has ${dims.length} ${dims.length === 1 ? 'name' : 'names'}, and the array has ${rank} ${rank === 1 ? 'axis' : 'axes'}. Give a name for each, or leave dims out.`,
      { asked: dims.length, rank },
    );
  }
}

/** The geometry of a raw file: shape defaults to one dimension that fills the file, dtype to numpy.memmap's uint8. */
export function rawGeometry(
  request: CreateRequest,
  fileBytes: number,
): { dtype: DType; shape: number[]; offset: number } {
  const dtype = dtypeOf(request.dtype ?? 'uint8');
  const offset = request.offset ?? 0;
  if (request.shape) return { dtype, shape: [...request.shape], offset };
  const rest = fileBytes - offset;
  if (rest < 0) {
    fail(
      'file_too_small',
      `The file has ${fileBytes} bytes, fewer than the offset ${offset}. Give an offset of at most ${fileBytes}.`,
      {
        size: fileBytes,
        offset,
      },
    );
  }
  if (rest % dtype.itemsize !== 0) {
    fail(
      'bad_shape',
      `The ${rest} bytes after the offset are no multiple of the ${dtype.itemsize} bytes of an element of ${dtype.name}. Give a shape, or another dtype or offset.`,
      {
        size: rest,
        itemsize: dtype.itemsize,
      },
    );
  }
  return { dtype, shape: [rest / dtype.itemsize], offset };
}

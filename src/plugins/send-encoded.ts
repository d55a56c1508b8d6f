/**
 * Answers in formats that are encoded from elements (csv, ndjson): whole up to a limit, with their length, HEAD and
 * ranges; beyond it in chunks as they are encoded, in bounded memory.
 */
import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { encodedPieces, isQuickEncoding, type Elements } from '../answers/encoded-pieces.js';
import type { Block } from '../block.js';
import type { Context } from '../context.js';
import { convertNow, isQuick } from '../dataset/convert.js';
import { convertedPieces } from '../dataset/converted-pieces.js';
import { heldPieces, readNow, type PieceReader } from '../dataset/read.js';
import type { Dataset } from '../dataset/dataset.js';
import type { DType } from '../dtype/index.js';
import {
  ENCODINGS,
  FORMATS,
  pictureOf,
  formatRow,
  specOf,
  columnsTableOf,
  stringifyExactJson,
  tableOf,
  whyNotColumns,
  whyNotTabular,
  whyNotTyped,
  typedTableOf,
  type Encoder,
  type EncodingName,
  type EncodingTable,
  type FormatName,
  type FormatRow,
} from '../formats/index.js';
import { fail } from '../errors.js';
import { sizeOf } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { setState, type ArrayAnswer, type ArrayQuery } from './array-answer.js';
import { openElements, workersOf, type Answer } from './array-source.js';
import { checkCoding } from './compression.js';
import { holdUntilSent } from './hold.js';
import { mediaTypeOf, negotiate } from './negotiate.js';
import { sendPieces, sendWhole } from './send-whole.js';

export function isEncoded(format: FormatName): format is EncodingName {
  return format in ENCODINGS;
}

/** Formats whose columns have types, and which say what the dataset says of itself. */
function isTyped(format: FormatName): boolean {
  return format === 'arrow' || format === 'parquet';
}

/** Whether `endian=` matters. */
function hasByteOrder(format: FormatName): boolean {
  return formatRow(format).isArray || format === 'npz';
}

/** What of a query becomes of the elements: only bytes have a byte order to choose, and that of Arrow and Parquet is little-endian. */
export function conversionAsked(format: FormatName, query: ArrayQuery): ArrayQuery {
  if (hasByteOrder(format)) return query;
  return isTyped(format) ? { ...query, endian: 'little' } : { ...query, endian: undefined };
}

/** The format of the path, of `format=`, or the one that Accept prefers of those that can hold the elements. */
export function formatOf(
  request: FastifyRequest,
  { formatOfPath, format }: ArrayQuery,
  dtype: DType,
  shape: readonly number[],
): FormatName {
  const holds = (row: FormatRow): boolean => {
    if (row.holds === 'columns') return whyNotColumns(dtype, shape) === undefined;
    if (row.holds === 'typed tables') return whyNotTyped(dtype, shape) === undefined;
    if (row.holds === 'tables') return whyNotTabular(dtype, shape) === undefined;
    return row.holds === 'any' || pictureOf(dtype, shape) !== undefined;
  };
  const found = formatOfPath ?? negotiate(request, format, { formats: FORMATS, holds });
  checkCoding(request, formatRow(found));
  return found;
}

/** What is encoded, as a table. */
export interface Encodable {
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly names?: readonly string[] | undefined;
}

/** @throws not_tabular */
export function encodingOf(
  format: EncodingName,
  { record: { attrs, dims } }: Pick<Dataset, 'record'>,
  { dtype, shape, names }: Encodable,
  { header = true, int64 = 'number' }: ArrayQuery,
): { readonly table: EncodingTable; readonly encoder: Encoder; readonly variant: string | undefined } {
  if (isTyped(format)) {
    const described = { dims: stringifyExactJson(dims), attrs: stringifyExactJson(attrs) };
    const schema = { ...described, shape: JSON.stringify(shape) };
    const tableOfFormat = format === 'arrow' ? columnsTableOf : typedTableOf;
    const table = { ...tableOfFormat(dtype, shape, names), header, int64, schema };
    return { table, encoder: ENCODINGS[format](table), variant: `-${digestOf(described)}` };
  }
  const table = { ...tableOf(dtype, shape, names), header, int64 };
  const variant = table.names && `-${digestOf(table.names)}`;
  return { table, encoder: ENCODINGS[format](table), variant };
}

/** Stands in a tag for what may change while the elements stay. */
function digestOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 8);
}

/** The elements of a selection. */
export async function sendEncoded(asked: Answer, format: EncodingName): Promise<FastifyReply> {
  const { context, reply, dataset, view, from, dtype, conversion, query } = asked;
  const { table, encoder } = encodingOf(format, dataset, { ...asked, shape: view.shape }, query);
  setType(reply, format, table);
  const elements = sizeOf(view.shape);
  if (isShort(asked, encoder)) {
    const now = readNow(asked.file, view, from.itemsize);
    if (now) {
      if (dataset.record.external) dataset.recheck(asked.file);
      setState(asked, dataset.generation);
      const bytes = conversion ? convertNow(conversion, now) : now;
      return sendNow(asked, context, encoder, { bytes, count: elements });
    }
  }
  const readBytes = Math.max(from.itemsize, dtype.itemsize);
  checkItems(readBytes, encoder);
  await holdEncoded(context, reply, encoder, elements, readBytes);
  const pieces = await openElements(asked);
  const converted = conversion ? convertedPieces(pieces, conversion, workersOf(asked)) : pieces;
  const sent = encoded({ pieces: converted, itemsize: dtype.itemsize, readBytes }, asked, format, table, encoder);
  return sendPieces(context, asked, { least: encoder.bytesMin }, sent);
}

/** Elements that are held. The headers of state are set. */
export async function sendEncodedBlock(
  context: Context,
  asked: ArrayAnswer,
  format: EncodingName,
  { dtype, shape, bytes }: Block,
  names?: readonly string[],
): Promise<FastifyReply> {
  const { table, encoder } = encodingOf(format, asked.dataset, { dtype, shape, names }, asked.query);
  setType(asked.reply, format, table);
  const { itemsize } = dtype;
  if (isQuickEncoding(encoder, sizeOf(shape))) return sendNow(asked, context, encoder, { bytes, count: sizeOf(shape) });
  await holdEncoded(context, asked.reply, encoder, sizeOf(shape), itemsize);
  const elements = { pieces: heldPieces(bytes, itemsize), itemsize, readBytes: itemsize };
  const sent = encoded(elements, { ...asked, context }, format, table, encoder);
  return sendPieces(context, asked, { least: encoder.bytesMin }, sent);
}

function setType(reply: FastifyReply, format: EncodingName, { header }: EncodingTable): void {
  const type = mediaTypeOf(format);
  reply.type(header ? type : type.replace('header=present', 'header=absent'));
}

function encoded(
  elements: Elements,
  asked: Pick<Answer, 'context' | 'request'>,
  format: EncodingName,
  table: EncodingTable,
  encoder: Encoder,
): PieceReader {
  const workers = workersOf(asked);
  return encodedPieces(elements, { encoder, spec: specOf(format, table), encode: task => workers.encode(task) });
}

/** What is read, converted and written within a few milliseconds. */
function isShort({ claim, conversion, view }: Answer, encoder: Encoder): boolean {
  const elements = sizeOf(view.shape);
  return !claim && isQuickEncoding(encoder, elements) && (!conversion || isQuick(conversion, elements));
}

function sendNow(asked: ArrayAnswer, context: Context, encoder: Encoder, elements: HeldElements): Sent {
  const target = Buffer.allocUnsafe(encoder.bytesMax(elements.count));
  const written = encoder.encode(elements.bytes, 0, target);
  encoder.note?.(target, written);
  const text = target.subarray(0, written);
  return sendWhole(context, asked, [...encoder.head(), text, ...encoder.tail()]);
}

interface HeldElements {
  readonly bytes: Uint8Array;
  readonly count: number;
}

type Sent = FastifyReply | Promise<FastifyReply>;

/** Rows are encoded whole, or items are. @throws too_large, before anything is read */
function checkItems(readBytes: number, encoder: Encoder): void {
  const asked = encoder.unit * readBytes;
  const limit = LIMITS.convertItemBytesMax;
  if (asked <= limit) return;
  fail(
    'too_large',
    `One row has ${asked} bytes; at most ${limit} are encoded together. Ask for fewer columns, for single fields with field=, or for format=raw or npy.`,
    { limit, asked },
  );
}

/** Takes memory for an answer that may be held whole, and for rows that are longer than pieces. @throws too_large, busy */
function holdEncoded(
  { budget, config }: Context,
  reply: FastifyReply,
  encoder: Encoder,
  elements: number,
  readBytes: number,
): Promise<void> {
  const limit = config.wholeBytesMax;
  const whole = encoder.bytesMin <= limit ? Math.min(encoder.bytesMax(elements), limit + LIMITS.pieceBytesMax) : 0;
  const { unit, group = unit } = encoder;
  const row = Math.max(group * readBytes, encoder.bytesMax(group));
  return holdUntilSent(budget, reply, whole + (row > LIMITS.pieceBytesMax ? 6 * row : 0));
}

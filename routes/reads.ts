/** Reading elements: one row, a range of rows, any slice; and a slice as a file of one format. */
import { Type, type TProperties } from 'typebox';
import type { FastifyReply, FastifyRequest, RouteShorthandOptions } from 'fastify';
import type { ErrorCode } from '../src/errors.js';
import type { Context } from '../src/context.js';
import { CASTINGS } from '../src/convert/index.js';
import { COLOUR_MAPS, DEFAULT_MAP, FORMATS, type FormatRow } from '../src/formats/index.js';
import { parseSlice, rangePart, rowPart } from '../src/selection.js';
import { setFileName } from '../src/plugins/file-name.js';
import {
  answerIn,
  capitalised,
  DATASET_PROBLEMS,
  FIELD,
  headers,
  type HeaderName,
  nameParam,
  NameParams,
  oneOf,
  problems,
  SLICE,
  untold,
} from './schemas/index.js';
import { COARSEN_QUERY, type CoarsenQuery, sendPart } from './coarsened.js';
import type { App } from './app-type.js';

const INT64 = oneOf(['number', 'string'], {
  description: 'string quotes 64-bit integers in JSON, for readers that would round them.',
});
const ENDIAN = oneOf(['little', 'big'], { description: "Byte order of raw and npy answers; default the dataset's." });

const DTYPE = Type.String({
  description:
    'Converts the elements as numpy’s `astype` does: `float64`, `<i4`, `M8[s]`, or fields as JSON. `safe` is little-endian, with float32 for float16.',
  example: 'float64',
});
const CASTING = oneOf(CASTINGS, {
  description: 'What `dtype=` may lose: nothing (safe, the default), within a kind, or whatever it takes.',
});

const HEADER = Type.Boolean({
  description: 'false leaves out the names of columns: csv begins with the first row, rows of ndjson are lists.',
});

const CMAP = Type.String({
  description: `A colour map: ${Object.keys(COLOUR_MAPS).join(', ')}, or one of them backwards with \`_r\` behind it; default ${DEFAULT_MAP}.`,
  example: 'magma',
});
const LIMITS_OF_COLOURS = Type.String({
  description:
    'The numbers that have the first and the last colour, as `0,1`, or as percentages of what is shown, `1%,99%`; default the least and the greatest.',
  example: '0,1',
});

/** The parameters that only some formats have a use for. */
const OF_FORMAT: Readonly<Record<string, TProperties>> = {
  json: { dtype: DTYPE, casting: CASTING, int64: INT64 },
  raw: { dtype: DTYPE, casting: CASTING, endian: ENDIAN },
  npy: { dtype: DTYPE, casting: CASTING, endian: ENDIAN },
  csv: { dtype: DTYPE, casting: CASTING, header: HEADER },
  ndjson: { dtype: DTYPE, casting: CASTING, header: HEADER, int64: INT64 },
  arrow: { dtype: DTYPE, casting: CASTING },
  parquet: { dtype: DTYPE, casting: CASTING },
  npz: { dtype: DTYPE, casting: CASTING, endian: ENDIAN },
  png: { cmap: CMAP, limits: LIMITS_OF_COLOURS },
};

const FORMAT_QUERY = {
  format: Type.Optional(
    Type.String({ description: `One of ${FORMATS.map(({ name }) => name).join(', ')}; wins over Accept.` }),
  ),
  dtype: Type.Optional(DTYPE),
  casting: Type.Optional(CASTING),
  endian: Type.Optional(ENDIAN),
  int64: Type.Optional(INT64),
  header: Type.Optional(HEADER),
  cmap: Type.Optional(CMAP),
  limits: Type.Optional(LIMITS_OF_COLOURS),
};

/** Calls of rows are told as what they answer by default, so that clients have one type for it. */
export const ROWS_QUERY = {
  field: FIELD,
  dtype: FORMAT_QUERY.dtype,
  casting: FORMAT_QUERY.casting,
  format: untold(FORMAT_QUERY.format),
  endian: untold(FORMAT_QUERY.endian),
  int64: FORMAT_QUERY.int64,
  header: untold(FORMAT_QUERY.header),
  cmap: untold(FORMAT_QUERY.cmap),
  limits: untold(FORMAT_QUERY.limits),
};
const ROWS_FORMATS =
  'The answer is JSON. It is raw or npy where `Accept` asks for it, or `format=`, with `endian=little|big` for their byte order; ' +
  'csv or ndjson where it is a table, without names with `header=false`.';

export const READ_PROBLEMS: readonly ErrorCode[] = [
  ...DATASET_PROBLEMS,
  'bad_slice',
  'index_out_of_bounds',
  'too_many_indices',
  'result_rank',
  'unknown_field',
  'unsupported_dtype',
  'would_lose',
  'no_npy_header',
  'not_tabular',
  'not_acceptable',
  'range_not_satisfiable',
  'too_large',
  'bulk_load',
  'busy',
  'worker_lost',
  'no_workers',
  'busy_writing',
];

/** Answers in any of some formats. */
const responses = (formats: readonly FormatRow[], ...more: readonly HeaderName[]) => {
  const hasBytes = formats.some(({ isArray }) => isArray);
  const hasRanges = formats.some(({ name }) => name !== 'json');
  const names = ['X-Dataset-Generation', 'ETag', ...more] as const;
  const ofBytes = [...(hasBytes ? (['X-Array-Dtype', 'X-Array-Shape'] as const) : []), 'Accept-Ranges'] as const;
  return {
    200: {
      description: `The elements: ${formats.map(({ describes }) => describes).join('; or ')}.`,
      ...headers(...names, ...(hasRanges ? ofBytes : [])),
      content: answerIn(formats, 'ArrayAnswer'),
    },
    ...(hasRanges && {
      206: {
        description: hasBytes
          ? 'The bytes of a Range, where the elements lie side by side in the file.'
          : 'The bytes of a Range, of an answer that is held whole.',
        ...headers(...names, ...ofBytes, 'Content-Range'),
        content: answerIn(
          formats.filter(({ name }) => name !== 'json'),
          'ArrayAnswer',
        ),
      },
    }),
    ...problems(...READ_PROBLEMS),
  };
};

const JSON_ONLY = FORMATS.filter(({ name }) => name === 'json');

export function reads(app: App, context: Context): void {
  const send = (request: FastifyRequest, reply: FastifyReply, parts: Parts, query: CoarsenQuery): Sent =>
    sendPart(context, request, reply, (request.params as { name: string }).name, parts, query);

  getAndHead(app, '/v1/datasets/:name/rows/:row', {
    schema: {
      operationId: 'readRow',
      tags: ['reads'],
      summary: 'One row, like m[row]: axis 0 is dropped',
      description: ROWS_FORMATS,
      params: Type.Object({
        name: nameParam(),
        row: Type.String({ description: 'An integer; negative counts from the end.', example: '0' }),
      }),
      querystring: Type.Object(ROWS_QUERY, { additionalProperties: false }),
      response: responses(JSON_ONLY),
    },
    handler: (request, reply) => {
      return send(request, reply, [rowPart((request.params as { row: string }).row)], request.query as object);
    },
  });

  getAndHead(app, '/v1/datasets/:name/rows', {
    schema: {
      operationId: 'readRows',
      tags: ['reads'],
      summary: 'A range of rows, like m[start:stop:step]',
      description: ROWS_FORMATS,
      params: NameParams,
      querystring: Type.Object(
        {
          start: Type.Optional(
            Type.String({ description: 'The first row; absent: from the beginning.', example: '0' }),
          ),
          stop: Type.Optional(
            Type.String({ description: 'The row to stop before; absent: to the end.', example: '3' }),
          ),
          step: Type.Optional(Type.String({ description: 'Take each step-th row; absent: each one.' })),
          ...ROWS_QUERY,
        },
        { additionalProperties: false },
      ),
      response: responses(JSON_ONLY),
    },
    handler: (request, reply) => {
      const { start, stop, step, ...query } = request.query as Record<string, string>;
      return send(request, reply, [rangePart(start, stop, step)], query);
    },
  });

  getAndHead(app, '/v1/datasets/:name/data', {
    schema: {
      operationId: 'readData',
      tags: ['reads'],
      summary: 'Any basic slice, like m[100:200, 50:100]',
      description:
        'JSON, or another format where `format=` or `Accept` asks for it. With one type of answer each there ' +
        `are ${FORMATS.map(({ name }) => `data.${name}`).join(', ')}.`,
      params: NameParams,
      querystring: Type.Object({ slice: SLICE, ...ROWS_QUERY, ...COARSEN_QUERY }, { additionalProperties: false }),
      response: responses(JSON_ONLY),
    },
    handler: (request, reply) => {
      const { slice, ...query } = request.query as { slice?: string };
      return send(request, reply, slice === undefined ? [] : parseSlice(slice), query);
    },
  });

  for (const format of FORMATS) {
    getAndHead(app, `/v1/datasets/:name/data.${format.name}`, {
      schema: {
        operationId: `readData${capitalised(format.name)}`,
        tags: ['reads'],
        summary: `Any basic slice as ${format.name}`,
        description: `The answer is ${format.describes}. \`Accept\` does not matter.`,
        params: NameParams,
        querystring: Type.Object(
          {
            slice: SLICE,
            field: FIELD,
            ...COARSEN_QUERY,
            ...Type.Partial(Type.Object(OF_FORMAT[format.name] ?? {})).properties,
          },
          { additionalProperties: false },
        ),
        response: responses(
          [format],
          'Content-Disposition',
          ...(format.name === 'png' ? (['X-Coarsen'] as const) : []),
        ),
      },
      handler: (request, reply) => {
        const { slice, ...query } = request.query as { slice?: string };
        setFileName(reply, (request.params as { name: string }).name, format);
        const parts = slice === undefined ? [] : parseSlice(slice);
        return send(request, reply, parts, { ...query, formatOfPath: format.name });
      },
    });
  }
}

type Parts = Parameters<typeof sendPart>[4];
type Sent = ReturnType<typeof sendPart>;
type Route = Required<Pick<RouteShorthandOptions, 'schema'>> & { handler: Parameters<App['route']>[0]['handler'] };

/** HEAD runs the same handler, which knows how to answer without reading; Fastify's own HEAD routes would not. */
function getAndHead(app: App, url: string, { schema, handler }: Route): void {
  const config = { scope: 'read', asksPreconditions: true } as const;
  app.route({ method: 'GET', url, config, schema, handler, exposeHeadRoute: false });
  app.route({ method: 'HEAD', url, config, schema: { ...schema, hide: true }, handler });
}

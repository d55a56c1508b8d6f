/** Writing elements of a slice: in the format that the Content-Type says, or that the path says. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { partsOf } from '../src/dataset/array-part.js';
import { columnNames, columnRuler } from '../src/dataset/column-names.js';
import { selectFrom } from '../src/layout/select.js';
import { targetOf } from '../src/dataset/target.js';
import { FORMATS, type FormatName } from '../src/formats/index.js';
import { fail } from '../src/errors.js';
import { ofClient } from '../src/plugins/client.js';
import { bodyFormat } from '../src/plugins/negotiate.js';
import type { Bodies } from '../src/plugins/openapi.js';
import { checkCharset, hasHeader } from '../src/plugins/table-query.js';
import { normalise, parseSlice } from '../src/selection.js';
import { writeBody } from '../src/transfer/write.js';
import {
  anyValue,
  BINARY,
  capitalised,
  FIELD,
  HEADER_OF_TABLE,
  MEMBER_OF_NPZ,
  jsonResponse,
  NameParams,
  oneOf,
  problems,
} from './schemas/index.js';
import { streamedBodies, withBody } from './streamed-bodies.js';
import { writeBatches, type ContextOf } from './write-batch.js';
import { decodingContext, ENDIAN, requestOf, WRITE_PROBLEMS } from './write-request.js';
import type { App } from './app-type.js';

const JSON_DATA = anyValue({
  description: 'Nested lists, or a bare value that fills the slice.',
  example: [0, 12.8, 5, 4.7],
});
const BYTES = 'application/octet-stream';
const TAKEN = FORMATS.filter(({ isTaken }) => isTaken);
export const DATA: Bodies = Object.fromEntries(
  TAKEN.map(({ name, mediaTypes }) => [mediaTypes[0], name === 'json' ? JSON_DATA : BINARY]),
);
const SLICE = Type.Optional(
  Type.String({ description: "The text inside numpy's brackets. Absent: everything.", example: '0' }),
);
const DURABILITY = Type.Optional(
  oneOf(['commit', 'none'], { default: 'commit', description: 'commit answers when the write is on disk.' }),
);

export function writes(app: App, context: Context): void {
  const contextOf = writeContextOf(context);
  writeData(app, contextOf, {
    url: '/v1/datasets/:name/data',
    operationId: 'writeData',
    summary: 'Write a slice, like m[slice] = data',
    description:
      'JSON (a bare value or nested lists), raw (exactly the bytes of the selection, or one item that fills it), npy, ' +
      'or a table, whose columns are written by their place, and to the fields of a structure by name. Shapes broadcast as numpy assigns.',
    bodies: DATA,
  });
  for (const { name, mediaTypes, describes } of TAKEN) {
    const body = name === 'json' ? JSON_DATA : BINARY;
    writeData(app, contextOf, {
      url: `/v1/datasets/:name/data.${name}`,
      operationId: `writeData${capitalised(name)}`,
      summary: `Write a slice from ${name}`,
      description: `The body is ${describes}, whatever its Content-Type says of it. Shapes broadcast as numpy assigns.`,
      // Many clients know bytes by one media type alone; the path says which format they are in.
      bodies: { [mediaTypes[0]]: body, ...(name !== 'json' && { [BYTES]: body }) },
      also: BYTES,
      format: name,
    });
  }
  writeBatches(app, context, contextOf);
}

export function writeContextOf(context: Context): ContextOf {
  return request => {
    const own = ofClient(context, request);
    const { workers: offLoop, budget, config } = own;
    return { offLoop, budget, commitBytesMax: config.commitBytesMax, decoding: decodingContext(own) };
  };
}

interface WriteRoute {
  readonly url: string;
  readonly operationId: string;
  readonly summary: string;
  readonly description: string;
  readonly bodies: Bodies;
  /** A media type that is taken, too. */
  readonly also?: string;
  /** Absent: what the Content-Type says. */
  readonly format?: FormatName;
}

function writeData(app: App, contextOf: ContextOf, { url, bodies, also, format, ...told }: WriteRoute): void {
  const mediaTypes = [...new Set([...Object.keys(bodies), ...(also === undefined ? [] : [also])])];
  streamedBodies(app, mediaTypes, scope => {
    scope.put(
      url,
      {
        config: { scope: 'write', asksPreconditions: true, bodies },
        schema: {
          ...told,
          tags: ['writes'],
          params: NameParams,
          querystring: Type.Object(
            {
              slice: SLICE,
              field: FIELD,
              durability: DURABILITY,
              ...((format ?? 'raw') === 'raw' && { endian: ENDIAN }),
              ...((format === undefined || hasNames(format)) && { header: HEADER_OF_TABLE }),
              ...((format === undefined || format === 'npz') && { member: MEMBER_OF_NPZ }),
            },
            { additionalProperties: false },
          ),
          response: {
            200: jsonResponse('Written', 'WriteAnswer', 'X-Dataset-Generation'),
            ...problems(...WRITE_PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const dataset = request.datasets.get(request.params.name);
        const { slice, field, durability = 'commit', endian, header, member } = request.query as WriteQuery;
        const sent = format ?? bodyFormat(request);
        if (member !== undefined && sent !== 'npz') {
          fail('bad_request', `member= is of npz, and this body comes as ${sent}. Leave it out.`, { format: sent });
        }
        const target = targetOf(partsOf(dataset, field), sent === 'raw');
        const selection = normalise(slice === undefined ? [] : parseSlice(slice), target.view.shape);
        if (hasNames(sent)) checkCharset(request);
        const ruler = columnRuler(dataset, field, target.view.shape);
        const write = {
          ...requestOf(request, reply, dataset, endian),
          target,
          selection,
          format: sent,
          member,
          table: {
            header: hasHeader(request, header),
            names: columnNames(dataset, field, ruler && selectFrom(ruler, selection)),
          },
          durability,
        };
        const answer = await withBody(request, reply, body => writeBody({ ...write, body }, contextOf(request)));
        return reply.header('x-dataset-generation', answer.generation).send(answer);
      },
    );
  });
}

/** Texts of tables, whose columns may have names. */
export function hasNames(format: FormatName): boolean {
  return format === 'csv' || format === 'ndjson';
}

interface WriteQuery {
  readonly header?: boolean;
  readonly member?: string;
  readonly slice?: string;
  readonly field?: string;
  readonly durability?: 'commit' | 'none';
  readonly endian?: 'little' | 'big';
}

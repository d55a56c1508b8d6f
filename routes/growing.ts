/** Arrays that grow and shrink: rows that join the end, and another length. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { partsOf } from '../src/dataset/array-part.js';
import { columnNames, columnRuler } from '../src/dataset/column-names.js';
import { targetOf } from '../src/dataset/target.js';
import { fail, type ErrorCode } from '../src/errors.js';
import { shown } from '../src/shown.js';
import { bodyFormat } from '../src/plugins/negotiate.js';
import { checkCharset, hasHeader } from '../src/plugins/table-query.js';
import { appendBody } from '../src/transfer/append.js';
import { resizeArray } from '../src/transfer/resize.js';
import {
  BODY_PROBLEMS,
  DATASET_PROBLEMS,
  HEADER_OF_TABLE,
  jsonResponse,
  MEMBER_OF_NPZ,
  NameParams,
  problems,
} from './schemas/index.js';
import { streamedBodies, withBody } from './streamed-bodies.js';
import { ENDIAN, requestOf, WRITE_PROBLEMS } from './write-request.js';
import type { ContextOf } from './write-batch.js';
import { DATA, hasNames, writeContextOf } from './writes.js';
import type { App } from './app-type.js';

const GROWTH_PROBLEMS: readonly ErrorCode[] = [
  'moved',
  'bytes_behind',
  'not_growable',
  'copy_on_write',
  'no_npy_header',
];
const LEFT_OUT: readonly ErrorCode[] = [
  'outside',
  'index_out_of_bounds',
  'bad_slice',
  'too_many_indices',
  'result_rank',
];

const PROBLEMS = [...new Set([...WRITE_PROBLEMS, ...GROWTH_PROBLEMS])].filter(code => !LEFT_OUT.includes(code));

const RESIZE_PROBLEMS: readonly ErrorCode[] = [
  ...DATASET_PROBLEMS,
  ...BODY_PROBLEMS,
  ...GROWTH_PROBLEMS,
  'read_only',
  'bad_shape',
  'too_large',
  'bulk_load',
  'busy',
  'disk_full',
];

export function growing(app: App, context: Context): void {
  const contextOf = writeContextOf(context);
  resizing(app, contextOf);
  streamedBodies(app, Object.keys(DATA), scope => {
    scope.post(
      '/v1/datasets/:name/append',
      {
        config: { scope: 'write', asksPreconditions: true, bodies: DATA },
        schema: {
          operationId: 'appendRows',
          tags: ['writes'],
          summary: 'Append rows, like np.concatenate along the axis that grows',
          description:
            'Rows join the end of axis 0 of a C-order array, of the last axis of an F-order one. The body has the rank of ' +
            'the array, or one axis less for a single row; raw bytes are whole rows in C order. With `at`, the length before, ' +
            'a call that is repeated appends once: 409 `moved` where the array has another length by then. What is beyond the ' +
            'commit limit is laid down as it comes, seen by nobody; other writes of the file get 503 `bulk_load` meanwhile.',
          params: NameParams,
          querystring: Type.Object(
            {
              at: Type.Optional(Type.String({ description: 'The length that the array must have: a whole number.' })),
              endian: ENDIAN,
              header: HEADER_OF_TABLE,
              member: MEMBER_OF_NPZ,
            },
            { additionalProperties: false },
          ),
          response: {
            200: jsonResponse('Appended', 'AppendAnswer', 'X-Dataset-Generation'),
            ...problems(...PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const { name } = request.params;
        const { at, endian, header, member } = request.query;
        const dataset = request.datasets.get(name);
        const length = at === undefined ? undefined : lengthIn(at);
        const format = bodyFormat(request);
        if (member !== undefined && format !== 'npz') {
          fail('bad_request', `member= is of npz, and this body comes as ${format}. Leave it out.`, { format });
        }
        if (hasNames(format)) checkCharset(request);
        const ruler = columnRuler(dataset, undefined, dataset.record.shape);
        const append = {
          ...requestOf(request, reply, dataset, endian),
          current: () => request.datasets.get(name),
          target: targetOf(partsOf(dataset, undefined), format === 'raw'),
          format,
          member,
          table: { header: hasHeader(request, header), names: columnNames(dataset, undefined, ruler) },
          at: length,
        };
        const answer = await withBody(request, reply, body => appendBody({ ...append, body }, contextOf(request)));
        return reply.header('x-dataset-generation', answer.generation).send(answer);
      },
    );
  });
}

function resizing(app: App, contextOf: ContextOf): void {
  app.post(
    '/v1/datasets/:name/resize',
    {
      config: { scope: 'write', asksPreconditions: true },
      schema: {
        operationId: 'resizeDataset',
        tags: ['writes'],
        summary: 'Give the axis that grows another length',
        description:
          'Axis 0 of a C-order array, the last one of an F-order one. New rows are the `fill` of the array, in real blocks ' +
          'unless it is sparse; rows that are cut off are gone. The same shape changes nothing. Answers under way have the ' +
          'old elements, or are cut.',
        params: NameParams,
        body: Type.Ref('Resize'),
        response: {
          200: jsonResponse('Has that shape', 'ResizeAnswer', 'X-Dataset-Generation'),
          ...problems(...RESIZE_PROBLEMS),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { shape } = request.body as { shape: readonly number[] };
      const dataset = request.datasets.get(name);
      const resize = {
        ...requestOf(request, reply, dataset, undefined),
        current: () => request.datasets.get(name),
        // -0 is 0.
        shape: shape.map(length => length + 0),
      };
      const answer = await resizeArray(resize, contextOf(request));
      return reply.header('x-dataset-generation', answer.generation).send(answer);
    },
  );
}

/** @throws bad_request */
function lengthIn(text: string): number {
  const length = /^[0-9]+$/.test(text) ? Number(text) : Number.NaN;
  // One that no array has is another length than any.
  if (!Number.isNaN(length)) return length;
  return fail('bad_request', `at is ${shown(text)}; it takes the length of the array, a whole number from 0 on.`, {
    at: 'at',
  });
}

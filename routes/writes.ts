/** Writing elements of a slice. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Datasets } from '../src/access/datasets.js';
import type { Context } from '../src/context.js';
import { checkWritable } from '../src/dataset/write.js';
import { fail, type ErrorCode } from '../src/errors.js';
import type { Dataset } from '../src/dataset/dataset.js';
import type { Precondition } from '../src/dataset/precondition.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { preconditionOf } from '../src/plugins/conditional.js';
import { bodyFormat } from '../src/plugins/negotiate.js';
import { normalise, parseSlice } from '../src/selection.js';
import { writeBatch } from '../src/transfer/batch.js';
import { writeBody, type WriteRequest } from '../src/transfer/write.js';
import { BODY_PROBLEMS, DATASET_PROBLEMS, jsonResponse, NameParams, problems } from './schemas/index.js';
import { bodyLength, streamedBodies, withBody } from './streamed-bodies.js';
import type { App } from './app-type.js';

const MEDIA_TYPES = ['application/json', 'application/octet-stream', 'application/x-npy'];
const BATCH_MEDIA_TYPES = ['application/json', 'multipart/form-data'];

const ENDIAN = Type.Optional(
  Type.Union([Type.Literal('little'), Type.Literal('big')], { description: 'Byte order of raw bytes.' }),
);

const WRITE_PROBLEMS: readonly ErrorCode[] = [
  ...DATASET_PROBLEMS,
  ...BODY_PROBLEMS,
  'bad_slice',
  'bad_json',
  'bad_npy',
  'read_only',
  'unsupported_media_type',
  'unsupported_dtype',
  'index_out_of_bounds',
  'outside',
  'too_many_indices',
  'result_rank',
  'shape_mismatch',
  'bad_shape',
  'body_size_mismatch',
  'would_lose',
  'too_large',
  'bulk_load',
  'busy',
  'worker_lost',
  'no_workers',
  'disk_full',
];

export function writes(app: App, context: Context): void {
  const writeContext = {
    offLoop: context.pool,
    budget: context.budget,
    commitBytesMax: context.config.commitBytesMax,
  };
  streamedBodies(app, MEDIA_TYPES, scope => {
    scope.put(
      '/v1/datasets/:name/data',
      {
        config: { scope: 'write', asksPreconditions: true },
        schema: {
          operationId: 'writeData',
          tags: ['writes'],
          summary: 'Write a slice, like m[slice] = data',
          description:
            'JSON (a bare value or nested lists), raw (exactly the bytes of the selection, or one item that fills it) ' +
            'or npy. Shapes broadcast as numpy assigns. commit answers when the write is on disk.',
          consumes: MEDIA_TYPES,
          params: NameParams,
          querystring: Type.Object(
            {
              slice: Type.Optional(
                Type.String({ description: "The text inside numpy's brackets. Absent: everything." }),
              ),
              durability: Type.Optional(
                Type.Union([Type.Literal('commit'), Type.Literal('none')], { default: 'commit' }),
              ),
              endian: ENDIAN,
            },
            { additionalProperties: false },
          ),
          response: {
            200: jsonResponse('Written', 'WriteAnswer'),
            ...problems(...WRITE_PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const dataset = request.datasets.get(request.params.name);
        const { slice, durability = 'commit', endian } = request.query;
        const write = {
          ...requestOf(request, reply, dataset, endian),
          selection: normalise(slice === undefined ? [] : parseSlice(slice), dataset.record.shape),
          format: bodyFormat(request),
          durability,
        };
        const answer = await withBody(request, reply, body => writeBody({ ...write, body }, writeContext));
        return reply.header('x-dataset-generation', answer.generation).send(answer);
      },
    );
  });

  streamedBodies(app, BATCH_MEDIA_TYPES, scope => {
    scope.post(
      '/v1/datasets/:name/writes',
      {
        config: { scope: 'write', asksPreconditions: true },
        schema: {
          operationId: 'writeBatch',
          tags: ['writes'],
          summary: 'Write many slices as one atomic commit',
          description:
            '`{"writes": [{"slice": "0", "data": 1.0}, …]}`, applied in this order. As multipart/form-data the first part ' +
            'is that JSON without `data`; then comes one raw or npy part for each write, in the same order. All of them ' +
            'are on disk when it answers, and none of them is visible before all are.',
          consumes: BATCH_MEDIA_TYPES,
          params: NameParams,
          querystring: Type.Object({ endian: ENDIAN }, { additionalProperties: false }),
          response: {
            200: jsonResponse('Written', 'BatchAnswer'),
            ...problems(...WRITE_PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const dataset = request.datasets.get(request.params.name);
        const batch = {
          ...requestOf(request, reply, dataset, request.query.endian),
          contentType: request.headers['content-type'] ?? '',
        };
        const answer = await withBody(request, reply, body => writeBatch({ ...batch, body }, writeContext));
        return reply.header('x-dataset-generation', answer.generation).send(answer);
      },
    );
  });
}

/** What both kinds of write ask for, beside the body. */
function requestOf(
  request: FastifyRequest,
  reply: FastifyReply,
  dataset: Dataset,
  endian: 'little' | 'big' | undefined,
): Pick<WriteRequest, 'dataset' | 'endian' | 'bodyBytes' | 'precondition' | 'signal'> {
  return {
    dataset,
    endian: endian && (endian === 'big' ? '>' : '<'),
    bodyBytes: bodyLength(request),
    signal: signalOf(reply),
    precondition: stillWritable(request.datasets, dataset, preconditionOf(request)),
  };
}

/** What is asked again when it is the write's turn: the dataset may have been forgotten or changed meanwhile. */
function stillWritable(
  datasets: Pick<Datasets, 'get'>,
  { record }: Dataset,
  precondition: Precondition,
): (generation: number) => void {
  return generation => {
    const current = datasets.get(record.name);
    checkWritable(current);
    if (current.record.id !== record.id) {
      fail('file_changed', 'The dataset was replaced while the body was read. Repeat the request.', {
        reason: 'replaced',
      });
    }
    precondition({ id: record.id, generation });
  };
}

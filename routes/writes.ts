/** Writing elements of a slice. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { checkWritable } from '../src/dataset/write.js';
import { fail } from '../src/errors.js';
import { checkIfMatch } from '../src/plugins/conditional.js';
import { bodyFormat } from '../src/plugins/negotiate.js';
import { normalise, parseSlice } from '../src/selection.js';
import { writeBody } from '../src/transfer/write.js';
import { DATASET_PROBLEMS, jsonResponse, NameParams, problems } from './schemas.js';
import { bodyLength, streamedBodies, withBody } from './streamed-bodies.js';
import type { App } from './app-type.js';

const MEDIA_TYPES = ['application/json', 'application/octet-stream', 'application/x-npy'];

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
              endian: Type.Optional(
                Type.Union([Type.Literal('little'), Type.Literal('big')], { description: 'Byte order of a raw body.' }),
              ),
            },
            { additionalProperties: false },
          ),
          headers: Type.Object({
            'if-match': Type.Optional(
              Type.String({ description: '"<id>.<generation>": write only if nothing moved.' }),
            ),
          }),
          response: {
            200: jsonResponse('Written', 'WriteAnswer'),
            ...problems(
              ...DATASET_PROBLEMS,
              'bad_slice',
              'bad_json',
              'bad_npy',
              'read_only',
              'generation_moved',
              'unsupported_media_type',
              'unsupported_dtype',
              'index_out_of_bounds',
              'too_many_indices',
              'result_rank',
              'shape_mismatch',
              'bad_shape',
              'body_size_mismatch',
              'would_lose',
              'too_large',
              'bulk_load',
              'busy',
              'disk_full',
            ),
          },
        },
      },
      async (request, reply) => {
        const dataset = context.registry.get(request.params.name);
        const { slice, durability = 'commit', endian } = request.query;
        const write = {
          dataset,
          selection: normalise(slice === undefined ? [] : parseSlice(slice), dataset.record.shape),
          format: bodyFormat(request),
          endian: endian && (endian === 'big' ? ('>' as const) : ('<' as const)),
          bodyBytes: bodyLength(request),
          durability,
          precondition(generation: number) {
            // Asked again under the lock: the dataset may have been forgotten, or made read-only, meanwhile.
            const current = context.registry.get(request.params.name);
            checkWritable(current);
            if (current.record.id !== dataset.record.id) {
              fail('file_changed', 'The dataset was replaced while the body was read. Repeat the request.', {
                reason: 'replaced',
              });
            }
            checkIfMatch(request.headers['if-match'], dataset.record.id, generation);
          },
        };
        const answer = await withBody(request, reply, body => writeBody({ ...write, body }, writeContext));
        return reply.header('x-dataset-generation', answer.generation).send(answer);
      },
    );
  });
}

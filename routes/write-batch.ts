/** Many slices of one dataset, as one commit. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Bodies } from '../src/plugins/openapi.js';
import type { Context } from '../src/context.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { chooseView } from '../src/jobs/choose.js';
import { ofClient } from '../src/plugins/client.js';
import { writeBatch, type Choose } from '../src/transfer/batch.js';
import type { WriteContext } from '../src/transfer/write.js';
import { jsonResponse, NameParams, problems } from './schemas/index.js';
import { streamedBodies, withBody } from './streamed-bodies.js';
import { ENDIAN, requestOf, WRITE_PROBLEMS } from './write-request.js';
import { choosingFor } from './select.js';
import type { App } from './app-type.js';

/** Told alone: some generators lose their way where a call takes JSON as well as a form. */
const JSON_BATCH: Bodies = { 'application/json': Type.Ref('WriteBatch') };
const MEDIA_TYPES = [...Object.keys(JSON_BATCH), 'multipart/form-data'];

/** What the writes of one client work with. */
export type ContextOf = (request: FastifyRequest) => WriteContext;

/** What a selector takes, chosen for one request. Nothing is held: whoever writes asks whether it still is as it was. */
function chooserFor(context: Context, request: FastifyRequest, reply: FastifyReply, dataset: Dataset): Choose {
  return async (selector, part, left) => {
    const choosing = choosingFor(ofClient(context, request), request, reply, left);
    const { view, claim, read } = await chooseView(dataset, part, selector, choosing);
    claim?.close();
    return { view, read };
  };
}

export function writeBatches(app: App, context: Context, contextOf: ContextOf): void {
  streamedBodies(app, MEDIA_TYPES, scope => {
    scope.post(
      '/v1/datasets/:name/writes',
      {
        config: { scope: 'write', asksPreconditions: true, bodies: JSON_BATCH },
        schema: {
          operationId: 'writeBatch',
          tags: ['writes'],
          summary: 'Write many slices as one atomic commit',
          description:
            '`{"writes": [{"slice": "0", "data": 1.0}, …]}`, applied in this order. As multipart/form-data the first part ' +
            'is that JSON without `data`; then comes one raw or npy part for each write, in the same order. All of them ' +
            'are on disk when it answers, and none of them is visible before all are.',
          params: NameParams,
          querystring: Type.Object({ endian: ENDIAN }, { additionalProperties: false }),
          response: {
            200: jsonResponse('Written', 'BatchAnswer', 'X-Dataset-Generation'),
            ...problems(...WRITE_PROBLEMS),
          },
        },
      },
      async (request, reply) => {
        const dataset = request.datasets.get(request.params.name);
        const batch = {
          ...requestOf(request, reply, dataset, request.query.endian),
          contentType: request.headers['content-type'] ?? '',
          entriesMax: context.config.selectEntriesMax,
          choose: chooserFor(context, request, reply, dataset),
        };
        const answer = await withBody(request, reply, body => writeBatch({ ...batch, body }, contextOf(request)));
        return reply.header('x-dataset-generation', answer.generation).send(answer);
      },
    );
  });
}

/** Following datasets as server-sent events: one, or several in one stream. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { standingOf } from '../src/dataset/precondition.js';
import { fail } from '../src/errors.js';
import { LIMITS } from '../src/limits.js';
import { streamChanges } from '../src/plugins/change-stream.js';
import { answeredUntagged } from '../src/plugins/conditional.js';
import { sendEventHead } from '../src/plugins/event-stream.js';
import { CHANGES, DATASET_PROBLEMS, EXAMPLE_NAME, headers, NameParams, problems } from './schemas/index.js';
import type { App } from './app-type.js';

const STREAM = {
  description: 'Events',
  ...headers('Cache-Control'),
  content: { 'text/event-stream': { schema: CHANGES } },
};
const STATES =
  'The present state comes first, whatever `Last-Event-ID` says; then each change, at most ten a second, the last of ' +
  'a burst within a second. Comments come while nothing happens, and the stream ends when the key does.';

export function events(app: App, { following }: Context): void {
  app.get(
    '/v1/datasets/:name/events',
    {
      config: { scope: 'read', asksPreconditions: true },
      schema: {
        operationId: 'watchDataset',
        tags: ['datasets'],
        summary: 'A dataset as server-sent events',
        description:
          `\`change\` carries id, generation and shape. ${STATES} A dataset that is replaced goes on under its new id; ` +
          '`deleted` is the last event of one that is gone.',
        params: NameParams,
        response: { 200: STREAM, ...problems(...DATASET_PROBLEMS, 'busy') },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const found = request.datasets.get(name);
      if (answeredUntagged(request, reply, standingOf(found))) return reply;
      if (request.method === 'HEAD') return sendEventHead(reply);
      await streamChanges(following, request, reply, { names: [name], isOfMany: false });
      return reply;
    },
  );

  app.get(
    '/v1/events',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'watchDatasets',
        tags: ['datasets'],
        summary: 'Several datasets as one stream of server-sent events',
        description: `\`change\` and \`deleted\` name their dataset. ${STATES} The stream goes on when a dataset is deleted, and tells of one that gets its name.`,
        querystring: Type.Object(
          {
            datasets: Type.String({
              description: `Their names, with commas between them; at most ${LIMITS.followedNamesMax}.`,
              example: EXAMPLE_NAME,
            }),
          },
          { additionalProperties: false },
        ),
        response: { 200: STREAM, ...problems(...DATASET_PROBLEMS, 'too_large', 'busy') },
      },
    },
    async (request, reply) => {
      const names = namesOf(request.query.datasets);
      await request.datasets.look(names);
      for (const name of names) request.datasets.get(name);
      if (request.method === 'HEAD') return sendEventHead(reply);
      await streamChanges(following, request, reply, { names, isOfMany: true });
      return reply;
    },
  );
}

/** @throws bad_request, too_large */
function namesOf(text: string): string[] {
  const names = [...new Set(text.split(',').map(name => name.trim()))];
  if (names.includes('')) {
    fail('bad_request', 'datasets takes names with commas between them, such as datasets=a,b.', { at: 'datasets' });
  }
  const limit = LIMITS.followedNamesMax;
  if (names.length > limit) {
    fail('too_large', `datasets has ${names.length} names; one stream takes at most ${limit}. Open another one.`, {
      limit,
      asked: names.length,
    });
  }
  return names;
}

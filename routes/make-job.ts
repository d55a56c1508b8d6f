/** A statistic as a job from the start: what "Prefer: respond-async" asks for, as a call of its own. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { standingOf } from '../src/dataset/precondition.js';
import { ofClient } from '../src/plugins/client.js';
import { answeredUntagged } from '../src/plugins/conditional.js';
import type { BatchQuery } from './batch-lines.js';
import { respondAsync } from './respond-async.js';
import { BODY_PROBLEMS, jsonResponse, problems } from './schemas/index.js';
import { nextTurn } from '../src/turns.js';
import { asksAfresh, checkJsonCells, EXACT_MEMBERS, planFor } from './statistics-answer.js';
import { STATISTICS_PROBLEMS } from './statistics.js';
import { statisticsJob } from './statistics-job.js';
import type { App } from './app-type.js';

/** Nobody waits for it. */
const AT_ONCE = { respondAsync: false, waitSeconds: 0 } as const;

/** Where the document says that the id of the answer leads. */
const LINKS = Object.fromEntries(
  ['getJob', 'watchJob', 'deleteJob'].map(operationId => [
    operationId,
    { operationId, parameters: { id: '$response.body#/id' } },
  ]),
);

export function makeJob(app: App, context: Context): void {
  app.post(
    '/v1/jobs',
    {
      config: { scope: 'read', asksPreconditions: true, exactMembers: EXACT_MEMBERS },
      links: { 202: LINKS },
      schema: {
        operationId: 'createJob',
        tags: ['jobs'],
        summary: 'Compute statistics while nobody waits',
        description: 'The query is checked first. The job then runs by itself; ask for it by its id.',
        body: Type.Ref('BatchQuery'),
        response: {
          202: jsonResponse('The job', 'Job', 'Location'),
          ...problems(...STATISTICS_PROBLEMS, ...BODY_PROBLEMS),
        },
      },
    },
    async (request, reply) => {
      // Many may come at once.
      await nextTurn();
      const { dataset, ...input } = request.body as BatchQuery;
      const planned = await planFor(request.datasets, dataset, input);
      checkJsonCells(planned, context.config.jsonElementsMax);
      if (answeredUntagged(request, reply, standingOf(planned.dataset))) return reply;
      const ifMatch = request.headers['if-match'];
      const { order } = await statisticsJob(
        ofClient(context, request),
        request.datasets,
        planned,
        input,
        asksAfresh(request),
        ifMatch,
      );
      return respondAsync(context, request, reply, AT_ONCE, { ...order, answer: () => reply });
    },
  );
}

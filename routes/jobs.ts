/** Jobs: statistics that run while nobody waits for them. A caller sees its own. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { fail } from '../src/errors.js';
import type { JobPlace } from '../src/jobs/jobs.js';
import { viewerOf } from '../src/jobs/viewer.js';
import { LIMITS } from '../src/limits.js';
import { sendEventHead, LAST_EVENT_ID, streamEvents } from '../src/plugins/event-stream.js';
import { answeredUntagged } from '../src/plugins/conditional.js';
import { holdUntilSent } from '../src/plugins/hold.js';
import { jobBytes, jobText } from './job-body.js';
import { Cursor, EVENTS, jsonResponse, pageLimit, problems } from './schemas/index.js';
import { makeJob } from './make-job.js';
import type { App } from './app-type.js';

const IdParams = Type.Object({ id: Type.String({ description: 'Id of the job.' }) });
const JSON_TYPE = 'application/json; charset=utf-8';
const UNKNOWN = problems('unknown_job', 'generation_moved', 'busy');

export function jobs(app: App, context: Context): void {
  list(app, context);
  makeJob(app, context);
  one(app, context);
  events(app, context);
}

function list(app: App, { jobs: all }: Context): void {
  app.get(
    '/v1/jobs',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'listJobs',
        tags: ['jobs'],
        summary: 'List jobs, in the order in which they were made',
        description: 'Those of the caller; with the scope admin all of them.',
        querystring: Type.Object(
          {
            limit: pageLimit(LIMITS.pageJobsMax),
            cursor: Cursor,
          },
          { additionalProperties: false },
        ),
        response: { 200: jsonResponse('One page', 'JobList'), ...problems() },
      },
    },
    (request, reply) => {
      const { limit = 100, cursor } = request.query;
      const after = cursor === undefined ? undefined : decodeCursor(cursor);
      const found = all.list(viewerOf(request.principal), after, limit + 1);
      const page = found.slice(0, limit);
      const last = page.at(-1);
      const next = found.length > limit && last ? JSON.stringify(encodeCursor(last)) : 'null';
      return reply
        .header('cache-control', 'no-store')
        .type(JSON_TYPE)
        .send(`{"jobs":[${page.map(jobText).join(',')}],"next_cursor":${next}}`);
    },
  );
}

function one(app: App, context: Context): void {
  const { jobs: all } = context;
  app.get(
    '/v1/jobs/:id',
    {
      config: { scope: 'read', asksPreconditions: true },
      schema: {
        operationId: 'getJob',
        tags: ['jobs'],
        summary: 'How far a job is, and its result when it is done',
        description:
          'Jobs that have ended are kept for a while. Ask again until the state is an end, or follow the events.',
        params: IdParams,
        response: { 200: jsonResponse('The job', 'Job'), ...UNKNOWN },
      },
    },
    async (request, reply) => {
      const job = all.get(request.params.id, viewerOf(request.principal));
      if (answeredUntagged(request, reply, 'untagged')) return reply;
      await holdUntilSent(context.budget, reply, job.result?.byteLength ?? 0);
      return reply.header('cache-control', 'no-store').type(JSON_TYPE).send(jobBytes(job));
    },
  );

  app.delete(
    '/v1/jobs/:id',
    {
      config: { scope: 'read', asksPreconditions: true },
      schema: {
        operationId: 'deleteJob',
        tags: ['jobs'],
        summary: 'Cancel a job that has not ended, or forget one that has',
        description: 'A job that is cancelled stays until it is deleted once more.',
        params: IdParams,
        response: {
          200: jsonResponse('It was cancelled; workers stop within a chunk', 'Job'),
          204: { description: 'It had ended, and is forgotten', type: 'null' },
          ...UNKNOWN,
        },
      },
    },
    (request, reply) => {
      const job = all.get(request.params.id, viewerOf(request.principal));
      if (answeredUntagged(request, reply, 'untagged')) return reply;
      if (job.hasEnded) {
        all.forget(job);
        return reply.code(204).send(null);
      }
      all.cancel(job);
      return reply.header('cache-control', 'no-store').type(JSON_TYPE).send(jobText(job));
    },
  );
}

function events(app: App, { jobs: all }: Context): void {
  app.get(
    '/v1/jobs/:id/events',
    {
      config: { scope: 'read', asksPreconditions: true },
      schema: {
        operationId: 'watchJob',
        tags: ['jobs'],
        summary: 'A job as server-sent events',
        description:
          '`progress` a few times a second while it runs, `end` when it has ended; both carry the job without its ' +
          'result. Comments come while nothing happens.',
        params: IdParams,
        response: {
          200: { description: 'Events', content: { 'text/event-stream': { schema: EVENTS } } },
          204: { description: 'The last event was received before (Last-Event-ID)', type: 'null' },
          ...UNKNOWN,
        },
      },
    },
    async (request, reply) => {
      const job = all.get(request.params.id, viewerOf(request.principal));
      if (answeredUntagged(request, reply, 'untagged')) return reply;
      // An EventSource comes back after the end of its stream, until it is told that there is nothing more.
      if (job.hasEnded && request.headers['last-event-id'] === LAST_EVENT_ID) return reply.code(204).send(null);
      if (request.method === 'HEAD') return sendEventHead(reply);
      streamEvents(reply, {
        state: () => jobText(job),
        hasEnded: () => job.hasEnded,
        watch: onChange => job.watch(onChange),
      });
      return reply;
    },
  );
}

function encodeCursor({ createdMs, id }: JobPlace): string {
  return Buffer.from(`${createdMs}.${id}`).toString('base64url');
}

function decodeCursor(cursor: string): JobPlace {
  const text = Buffer.from(cursor, 'base64url').toString();
  const [, created = '', id = ''] = /^(\d{1,15})\.([0-9a-f]{32})$/.exec(text) ?? [];
  const place = { createdMs: Number(created), id };
  if (id === '' || encodeCursor(place) !== cursor) {
    fail('bad_request', 'The cursor is not one that this service gave out. Leave it out for the first page.');
  }
  return place;
}

/**
 * A statistics call whose client would rather not wait ("Prefer: respond-async", RFC 7240): it becomes a job, and is
 * answered with 202 and where to ask. With `wait` the answer itself is sent if it is there in time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Type } from 'typebox';
import type { FastifyBaseLogger, FastifyReply, FastifyRequest } from 'fastify';
import type { Context } from '../src/context.js';
import { LIMITS } from '../src/limits.js';
import type { Job, JobOrder } from '../src/jobs/job.js';
import { ownerOf } from '../src/jobs/viewer.js';
import { clientOf } from '../src/plugins/client.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { problemOf } from '../src/plugins/errors.js';
import type { Preferences } from '../src/plugins/prefer.js';
import { linkTo } from '../src/plugins/prefix.js';
import { jobText } from './job-body.js';
import { untold } from './schemas/index.js';

/** What a call asks for as a job. */
export interface AsyncCall extends Omit<JobOrder, 'owner' | 'client'> {
  /** Answers as the call would have without a job, from the job's result. */
  readonly answer: (result: Uint8Array) => FastifyReply;
}

/** Left out of the document, where a call has one kind of answer; its description tells of it. */
export const PREFER_HEADER = Type.Object({
  prefer: untold(
    Type.String({
      description: `respond-async: answer 202 and compute it as a job; with wait=<seconds> (up to ${LIMITS.jobWaitSecondsMax}), only when it takes longer.`,
    }),
  ),
});

/** @throws too_many_jobs, shutting_down, and what the job throws where it ends within the wait */
export async function respondAsync(
  { jobs }: Context,
  request: FastifyRequest,
  reply: FastifyReply,
  { respondAsync: isPreferred, waitSeconds }: Preferences,
  { answer, ...order }: AsyncCall,
): Promise<FastifyReply> {
  const { id, log, principal } = request;
  const job = jobs.start({ ...order, owner: ownerOf(principal), client: clientOf(request) });
  void logFault(job, log);
  if (waitSeconds > 0) {
    const client = signalOf(reply);
    await waitFor(job, waitSeconds * 1000, client);
    // Nobody knows of it.
    if (client.aborted) jobs.cancel(job);
    // One that somebody else cancelled has nothing to answer with: what became of it can be asked for.
    if (client.aborted || job.result || job.error) jobs.forget(job);
    if (job.result) return answer(job.result);
    if (job.error) throw job.error;
  }
  if (isPreferred) reply.header('preference-applied', 'respond-async');
  return (
    reply
      .code(202)
      .header('location', linkTo(request, `/v1/jobs/${job.id}`))
      .header('cache-control', 'no-store')
      // What the log calls the request, and its job.
      .header('x-request-id', id)
      .type('application/json; charset=utf-8')
      .send(jobText(job))
  );
}

/** Until the job has ended, the time is up, or the client has gone. */
async function waitFor(job: Job, waitMs: number, client: AbortSignal): Promise<void> {
  const ending = new AbortController();
  const signal = AbortSignal.any([client, ending.signal]);
  const timeUp = sleep(waitMs, undefined, { signal }).catch(() => undefined);
  await Promise.race([job.ended(), timeUp]);
  ending.abort();
}

/** What a problem document does not tell. */
async function logFault(job: Job, log: FastifyBaseLogger): Promise<void> {
  await job.ended();
  if (job.error && problemOf(job.error).status === 500) log.error({ err: job.error, job: job.id }, 'a job failed');
}

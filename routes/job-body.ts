/** A job as clients see it. */
import type { Job } from '../src/jobs/job.js';
import { problemOf } from '../src/plugins/errors.js';

/** JSON text, without the result. */
export function jobText(job: Job): string {
  const { progress, pace } = job;
  return JSON.stringify({
    id: job.id,
    state: job.state,
    progress: {
      chunks: progress.chunks,
      chunks_total: progress.chunksTotal,
      bytes: progress.bytes,
      bytes_total: progress.bytesTotal,
      bytes_per_second: pace.bytesPerSecond && Math.round(pace.bytesPerSecond),
      seconds_left: pace.secondsLeft && Math.round(pace.secondsLeft * 10) / 10,
    },
    created: timeOf(job.createdMs),
    started: timeOf(job.startedMs),
    ended: timeOf(job.endedMs),
    ...(job.error !== undefined && { error: problemOf(job.error) }),
  });
}

/** JSON text with the result of a job that is done, which is JSON text itself. */
export function jobBytes(job: Job): Buffer {
  const text = jobText(job);
  if (!job.result) return Buffer.from(text);
  return Buffer.concat([Buffer.from(`${text.slice(0, -1)},"result":`), job.result, CLOSING_BRACE]);
}

const CLOSING_BRACE = Buffer.from('}');

function timeOf(ms: number | undefined): string | null {
  return ms === undefined ? null : new Date(ms).toISOString();
}

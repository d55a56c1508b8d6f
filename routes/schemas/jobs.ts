/** Statistics that nobody waits for. */
import { Type } from 'typebox';
import { JOB_STATES } from '../../src/jobs/job.js';

const Time = Type.Union([Type.String({ format: 'date-time' }), Type.Null()]);

export const JobProgress = Type.Object(
  {
    chunks: Type.Integer(),
    chunks_total: Type.Integer({ description: 'Grows where a write makes chunks be read again.' }),
    bytes: Type.Integer(),
    bytes_total: Type.Integer(),
    bytes_per_second: Type.Union([Type.Number(), Type.Null()], {
      description: 'Of the last seconds; of the whole, when it has ended.',
    }),
    seconds_left: Type.Union([Type.Number(), Type.Null()], { description: 'At that rate.' }),
  },
  { $id: 'JobProgress' },
);

export const Job = Type.Object(
  {
    id: Type.String(),
    state: Type.String({ enum: [...JOB_STATES] }),
    progress: Type.Ref('JobProgress'),
    created: Type.String({ format: 'date-time' }),
    started: Time,
    ended: Time,
    result: Type.Optional(
      Type.Unknown({
        description: 'Of a job that is done: what the call would have answered; for a batch, the list of its lines.',
      }),
    ),
    error: Type.Optional(Type.Ref('Problem')),
  },
  { $id: 'Job' },
);

export const JobList = Type.Object(
  {
    jobs: Type.Array(Type.Ref('Job'), { description: 'Without their results.' }),
    next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Pass as cursor for the next page.' }),
  },
  { $id: 'JobList' },
);

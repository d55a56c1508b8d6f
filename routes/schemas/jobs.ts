/** Statistics that nobody waits for. */
import { Type } from 'typebox';
import { JOB_STATES } from '../../src/jobs/job.js';
import { anyValue, double, int64, NextCursor, nullable, oneOf } from './common.js';

const Time = nullable(Type.String({ format: 'date-time', description: 'Null where it has not come.' }));

const PROGRESS_EXAMPLE = {
  chunks: 1,
  chunks_total: 1,
  bytes: 400000,
  bytes_total: 400000,
  bytes_per_second: 108000000,
  seconds_left: 0,
};

export const JobProgress = Type.Object(
  {
    chunks: int64({ description: 'Pieces of the data that were read.' }),
    chunks_total: int64({ description: 'Pieces in all. It grows where a write makes some be read again.' }),
    bytes: int64({ description: 'Bytes that were read.' }),
    bytes_total: int64({ description: 'Bytes in all.' }),
    bytes_per_second: nullable(double({ description: 'Of the last seconds; of the whole, when it has ended.' })),
    seconds_left: nullable(double({ description: 'At that rate.' })),
  },
  { $id: 'JobProgress', description: 'How far a job is.', example: PROGRESS_EXAMPLE },
);

const JOB_EXAMPLE = {
  id: '0123456789abcdef0123456789abcdef',
  state: 'done',
  progress: PROGRESS_EXAMPLE,
  created: '2026-01-01T12:00:00.000Z',
  started: '2026-01-01T12:00:00.001Z',
  ended: '2026-01-01T12:00:00.005Z',
};

export const Job = Type.Object(
  {
    id: Type.String({ description: 'Random, and hard to guess.' }),
    state: oneOf(JOB_STATES, { description: 'Where it stands; done, failed and cancelled are the ends.' }),
    progress: Type.Ref('JobProgress'),
    created: Type.String({ format: 'date-time', description: 'When it was asked for.' }),
    started: Time,
    ended: Time,
    result: Type.Optional(
      anyValue({
        description:
          'Of a job that is done: what the call would have answered, a StatisticsAnswer; for a batch a list of BatchLine.',
      }),
    ),
    error: Type.Optional(Type.Ref('Problem')),
  },
  { $id: 'Job', description: 'Statistics that run while nobody waits.', example: JOB_EXAMPLE },
);

export const JobList = Type.Object(
  {
    jobs: Type.Array(Type.Ref('Job'), { description: 'Without their results.' }),
    next_cursor: NextCursor,
  },
  { $id: 'JobList', description: 'One page of jobs.', example: { jobs: [JOB_EXAMPLE], next_cursor: null } },
);

export const JobEvent = Type.Object(
  {
    event: oneOf(['progress', 'end'], { description: 'end is the last one.' }),
    data: Type.Ref('Job'),
  },
  {
    $id: 'JobEvent',
    description: 'A server-sent event of a job: its name, and the job without its result as one line of JSON.',
    example: { event: 'end', data: JOB_EXAMPLE },
  },
);

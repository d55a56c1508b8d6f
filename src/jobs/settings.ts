/** The settings of what statistics may cost, and of the jobs that they may become. */
import { LIMITS } from '../limits.js';
import { integer, setting, type ValuesOf } from '../setting.js';

const bytes = integer(0, 999_999_999_999_999);

export const JOB_SETTINGS = {
  statisticsBytesMax: setting({
    name: 'HYPERSLAB_STATISTICS_BYTES_MAX',
    default: '0',
    unit: 'bytes',
    meaning: 'The bytes that one statistic may read, in all passes together, while its client waits. 0 is no limit.',
    parse: bytes,
  }),
  statisticsRunningMax: setting({
    name: 'HYPERSLAB_STATISTICS_RUNNING_MAX',
    default: String(LIMITS.statisticsRunningMax),
    unit: 'statistics',
    meaning:
      'The number of large statistics (over 64 MiB) that run at one time while their clients wait; one client has its share of it. Further ones wait in line, and then get 503.',
    parse: integer(1, 10_000),
  }),
  jobBytesMax: setting({
    name: 'HYPERSLAB_JOB_BYTES_MAX',
    default: '0',
    unit: 'bytes',
    meaning: 'The bytes that one statistic of a job may read, in all passes together. 0 is no limit.',
    parse: bytes,
  }),
  jobsRunningMax: setting({
    name: 'HYPERSLAB_JOBS_RUNNING_MAX',
    default: String(LIMITS.jobsRunningMax),
    unit: 'jobs',
    meaning:
      'The number of jobs that run at one time, of which one client has its share (HYPERSLAB_CLIENT_SHARE), rounded up: 3 of 4. Further jobs wait in line.',
    parse: integer(1, 1000),
  }),
  jobsQueuedMax: setting({
    name: 'HYPERSLAB_JOBS_QUEUED_MAX',
    default: String(LIMITS.jobsQueuedMax),
    unit: 'jobs',
    meaning: 'The number of jobs that wait in line for each key or token. Further jobs get 429.',
    parse: integer(0, LIMITS.jobsQueuedTotalMax),
  }),
  jobResultSeconds: setting({
    name: 'HYPERSLAB_JOB_RESULT_SECONDS',
    default: String(LIMITS.jobResultSeconds),
    unit: 's',
    meaning: 'How long a job is kept after it has ended, with its result.',
    parse: integer(1, 30 * 86_400),
  }),
} as const;

export type JobSettings = ValuesOf<typeof JOB_SETTINGS>;

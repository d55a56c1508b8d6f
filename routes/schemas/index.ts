/** The named components of the API document. Routes refer to them; the service never builds a schema twice. */
import type { TSchema } from 'typebox';
import * as arrays from './arrays.js';
import * as datasets from './datasets.js';
import * as jobs from './jobs.js';
import * as operations from './operations.js';
import { Problem } from './problems.js';
import { Read, ReadAnswer, ReadAnswers, Reads, Selection } from './selections.js';
import * as statistics from './statistics.js';

export * from './common.js';
export type { DatasetBody } from './datasets.js';
export { BODY_PROBLEMS, DATASET_PROBLEMS, problems } from './problems.js';
export * from './responses.js';

/** What the files of components export is components, and nothing else. */
export const COMPONENTS: readonly TSchema[] = [
  Problem,
  ...Object.values(datasets),
  ...Object.values(arrays),
  Selection,
  Read,
  Reads,
  ReadAnswer,
  ReadAnswers,
  ...Object.values(statistics),
  ...Object.values(jobs),
  ...Object.values(operations),
];

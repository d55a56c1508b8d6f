/** The named components of the API document. Routes refer to them; the service never builds a schema twice. */
import { Type, type TSchema } from 'typebox';
import { ArrayAnswer, BatchAnswer, FlushAnswer, WriteAnswer } from './arrays.js';
import { CreateDataset, Dataset, DatasetEntry, DatasetList, PatchDataset } from './datasets.js';
import { Job, JobList, JobProgress } from './jobs.js';
import { Problem } from './problems.js';
import { BatchQuery, StatisticsAnswer, StatisticsBatch, StatisticsQuery } from './statistics.js';

export { BINARY, NameParams } from './common.js';
export type { DatasetBody } from './datasets.js';
export { BODY_PROBLEMS, DATASET_PROBLEMS, problems } from './problems.js';

export const COMPONENTS: readonly TSchema[] = [
  Problem,
  Dataset,
  DatasetEntry,
  DatasetList,
  CreateDataset,
  PatchDataset,
  ArrayAnswer,
  WriteAnswer,
  BatchAnswer,
  FlushAnswer,
  StatisticsQuery,
  BatchQuery,
  StatisticsBatch,
  StatisticsAnswer,
  JobProgress,
  Job,
  JobList,
];

/** A 200-like response with one JSON component. */
export function jsonResponse(description: string, component: string): object {
  return { description, content: { 'application/json': { schema: Type.Ref(component) } } };
}

/**
 * Statistics of arrays: pure maths that knows no file, no thread and no HTTP. query → plan → chunks → partials, merged
 * in the order of the chunks → result → JSON or block. run.ts shows the steps together.
 */
export { countToJson, toBlock, toJson, valuesToJson, type WriteNumber } from './answer.js';
export { computeChunk, type FillTile } from './chunk.js';
export type { ChunkPartial, ChunkPartial as Partial } from './fields.js';
export { finish, type OperationResult, type StatisticsResult } from './finish.js';
export { mergePartial, newAccumulator, type Accumulator } from './merge.js';
export { OP_NAMES, OPS, type OpName } from './ops.js';
export { chunkAt, PLAN_BOUNDS, planStatistics, type ChunkTask, type Plan, type PlanBounds } from './plan.js';
export { parseQuery, type NanMode, type Query, type QueryInput } from './query.js';
export { computeInProcess } from './run.js';

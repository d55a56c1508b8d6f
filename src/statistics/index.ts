/**
 * Statistics of arrays: pure maths that knows no file, no thread and no HTTP. query → plan → chunks → partials, merged
 * in the order of the chunks → result → JSON or block. run.ts shows the steps together.
 */
export { countToJson, toBlock, toJson, valuesToJson } from './answer.js';
export { groupedValues, groupsToJson } from './groups/answer.js';
export { costOfPlan, type PlanCost } from './cost.js';
export { extentsOfPlan, hullOf } from './extents.js';
export { Computation, type SharedRound } from './computation.js';
export { newEngine, type Engine } from './engine.js';
export { compileKernels } from '../kernels/index.js';
export { measureChunks, roomBytesOf } from './measurements.js';
export { Room } from './room.js';
export { OP_NAMES, opRow, type OpName } from './ops.js';
export { planQuery, type PlannedQuery } from './plan-query.js';
export type { RowSource } from './filter/filter.js';
export { PLAN_BOUNDS, planStatistics, type Plan, type PlanBounds } from './plan.js';
export { parseQuery, type NanMode, type Query, type QueryInput } from './query.js';
export { computeInProcess, computePlan, sourceFrom } from './run.js';
export type { ChunkTask, Walk } from './walk.js';
export { warmUp } from './warm-up.js';
export type { OperationResult, StatisticsResult } from './result.js';
export type { ChunkPartial, Measure, SinkPartial } from './specs.js';
export type { Part } from './pass.js';
export { chunkAt } from './chunk-at.js';
export type { TileSource } from './native-view.js';

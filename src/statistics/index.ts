/**
 * Statistics of arrays: pure maths that knows no file, no thread and no HTTP. query → plan → chunks → partials, combined
 * in the order of the chunks → result. `computePlan` shows the steps together.
 */
export { Computation, computeInProcess, computePlan, type SharedPass, sourceFrom } from './computation.js';
export { newEngine, type Engine } from '../kernels/engine.js';
export { compileKernels } from '../kernels/index.js';
export { combinesPartials, partialBytesOf, scanChunks, turnsAreShort } from './worker.js';
export { OP_NAMES, opRow, type OpName } from './ops.js';
export { columnsOfPlan, extentsOfPlan, hullOf, planQuery } from './plan-query.js';
export { planRowNumbers, RowNumbers, type RowNumbersPlan } from './row-numbers.js';
export type { RowSource } from '../filter/filter.js';
export { PLAN_BOUNDS, planStatistics, type Plan, type PlanBounds, type PlanOptions, type QueryPlan } from './plan.js';
export type { StatisticName } from './accumulators/index.js';
export { sumDType } from './accumulators/sum.js';
export { parseQuery, type NanMode, type Query, type QueryInput } from './query.js';
export type { ChunkTask, ColumnView, Scan } from '../scan/scan.js';
export type { OperationResult, StatisticsResult } from './result.js';
export type { PartialOf, SinkPartial, SinkSpec } from './specs.js';
export { type Operator, PartialBuffer } from './pass.js';
export type { TileSource } from '../scan/native-view.js';
export { chunkAt } from '../scan/chunks.js';

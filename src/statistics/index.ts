/**
 * Statistics of arrays: pure maths that knows no file, no thread and no HTTP. query → plan → chunks → partials, combined
 * in the order of the chunks → result. run.ts shows the steps together.
 */
export { extentsOfPlan, hullOf } from './extents.js';
export { Computation, type SharedPass } from './computation.js';
export { newEngine, type Engine } from './engine.js';
export { compileKernels } from '../kernels/index.js';
export { combinesPartials, partialBytesOf, scanChunks, turnsAreShort } from './worker.js';
export { packPartials, unpackPartial, type PackedPartials } from './packed-partials.js';
export { PartialBuffer } from './partial-buffer.js';
export { OP_NAMES, opRow, type OpName } from './ops.js';
export { planQuery, type PlannedQuery } from './plan-query.js';
export type { RowSource } from '../filter/filter.js';
export { PLAN_BOUNDS, planStatistics, type Plan, type PlanBounds, type QueryPlan } from './plan.js';
export { parseQuery, type NanMode, type Query, type QueryInput } from './query.js';
export { computeInProcess, computePlan, sourceFrom } from './run.js';
export type { ChunkTask, Scan } from './scan/scan.js';
export { warmUp } from './warm-up.js';
export type { OperationResult, StatisticsResult } from './result.js';
export type { ChunkPartial, SinkSpec, SinkPartial } from './specs.js';
export type { Operator } from './pass.js';
export { chunkAt } from './scan/chunk-at.js';
export type { TileSource } from './scan/native-view.js';

/** Covariances and correlations of the columns of a selection, or of fields: plan → records of chunks → matrices. */
export { asksColumnsOnly, COLUMNS_OPS, ColumnsOperator, isColumnsOp, type ColumnsOp } from './operator.js';
export { parseCov, settledCov, type CovParameters } from './parameters.js';
export { planColumns, type ColumnsPlan } from './plan.js';
export { recordLength } from './moments.js';
export { ColumnsSink } from './sink.js';
export type { ColumnsPartial, ColumnsSpec } from './specs.js';

/** Statistics: one query, a batch of them, and what answers them. */
import { Type } from 'typebox';
import { LIMITS } from '../../src/limits.js';

const WHERE =
  'Which rows (axis 0 of the dataset) are used; `slice` is taken of those. A filter says whose value of a row is compared: ' +
  '`column` (two axes), `self: true` (one axis) or `dataset` (another one, of one axis and as many elements as there are ' +
  'rows), and with what: `eq`, `ne`, `lt`, `le`, `gt`, `ge`, `between: [low, high]` (both included), `is_nan: true|false`, ' +
  '`in: [values]` or `in: {"dataset": name, "where"?}`, the values of a dataset of one axis. Several hold together. ' +
  '`{"and": [filters]}`, `{"or": [filters]}`, `{"not": filter}`. Integers are compared exactly; a number is rounded to the ' +
  'dtype of floats first, as numpy does; NaN is only `ne` and `is_nan`; bool takes true and false.';
const GROUP_BY =
  'What rows are grouped by: a key or a list of keys. A key is `column`, `self: true` or `dataset` as in `where`, and may have ' +
  '`bins`, ascending edges: a bin has its lower edge and not its upper one, the last bin has both; rows outside all bins ' +
  'are left out. The answer then has `groups`, and its `results` are empty. `axis` is null, or holds 0.';

const STATISTICS = {
  ops: Type.Array(Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]), {
    minItems: 1,
    description:
      'Names of operations: count, sum, prod, mean, var, std, min, max, ptp, argmin, argmax, any, all, count_nonzero, ' +
      'median; or, with parameters, {"quantile": {"q": [0.1, 0.5], "method": "linear"}}, where q is a number or a list ' +
      'and method any of numpy.quantile\'s; {"histogram": {"bins": 10, "range": [0, 1]}}, where range is that of the ' +
      'data by default; {"histogram": {"edges": [0, 1, 10]}}. A histogram takes no axis.',
  }),
  slice: Type.Optional(Type.String({ description: 'Basic indexing, applied first.' })),
  axis: Type.Optional(
    Type.Union([Type.Integer(), Type.Array(Type.Integer(), { minItems: 1, maxItems: LIMITS.rankMax }), Type.Null()], {
      description: 'Axes to reduce; null, [] or absent reduces all.',
    }),
  ),
  keepdims: Type.Optional(Type.Boolean()),
  ddof: Type.Optional(Type.Number({ description: 'Delta degrees of freedom of var and std.' })),
  nan: Type.Optional(Type.String({ enum: ['propagate', 'omit', 'raise'] })),
  as: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
      minItems: 1,
      description: 'Names for the results, one per operation.',
    }),
  ),
  where: Type.Optional(Type.Unknown({ description: WHERE, examples: [{ column: 3, gt: 0.5 }] })),
  group_by: Type.Optional(
    Type.Unknown({
      description: GROUP_BY,
      examples: [{ column: 3 }, [{ dataset: 'state' }, { column: 0, bins: [0, 1, 10] }]],
    }),
  ),
};

export const StatisticsQuery = Type.Object(STATISTICS, { $id: 'StatisticsQuery', additionalProperties: false });

export const BatchQuery = Type.Object(
  { dataset: Type.String(), ...STATISTICS },
  { $id: 'BatchQuery', additionalProperties: false },
);

export const StatisticsBatch = Type.Object(
  {
    queries: Type.Array(Type.Ref('BatchQuery'), { minItems: 1, maxItems: LIMITS.batchQueriesMax }),
    order: Type.Optional(Type.Union([Type.Literal('input'), Type.Literal('finished')])),
  },
  { $id: 'StatisticsBatch', additionalProperties: false },
);

export const StatisticsAnswer = Type.Object(
  {
    dataset: Type.String(),
    generation: Type.Integer(),
    axis: Type.Union([Type.Array(Type.Integer()), Type.Null()]),
    generations: Type.Optional(
      Type.Record(Type.String(), Type.Integer(), { description: 'Of each dataset, where several were read.' }),
    ),
    count: Type.Unknown({ description: 'Elements used: a number, or nested lists when they differ.' }),
    results: Type.Record(Type.String(), Type.Unknown(), {
      description:
        'An entry per operation, a number or nested lists; none where there are groups, which have their own. The first ' +
        'axis of quantile follows a list of q; histogram is {"counts", "edges"}.',
    }),
    groups: Type.Optional(
      Type.Array(
        Type.Object({
          key: Type.Unknown({
            description: 'A value, [low, high] of a bin, or a list of these for a list of keys.',
          }),
          count: Type.Unknown(),
          results: Type.Record(Type.String(), Type.Unknown()),
        }),
        { description: 'With group_by, in ascending order of the keys; NaN is one group, the last.' },
      ),
    ),
    scanned_bytes: Type.Integer(),
    chunks: Type.Integer(),
    elapsed_ms: Type.Number(),
  },
  { $id: 'StatisticsAnswer' },
);

/** Statistics: one query, a batch of them, and what answers them. */
import { Type } from 'typebox';
import { LIMITS } from '../../src/limits.js';
import { OP_NAMES, opRow } from '../../src/statistics/index.js';
import {
  EXPECTED_SHAPE_ASKED,
  anyValue,
  DatasetName,
  double,
  FIELD,
  freeObject,
  Generation,
  int32,
  int64,
  listOrAbsent,
  nullable,
  oneOf,
  toldAs,
  toldAsRef,
} from './common.js';

const filterList = (description: string) => nullable(Type.Array(Type.Ref('Filter'), { description }));

export const Filter = Type.Object(
  {
    column: Type.Optional(
      anyValue({
        description: 'Compare this column, of a dataset of two axes: its number, or its name in attrs.columns.',
      }),
    ),
    self: Type.Optional(
      Type.Boolean({
        description: 'true: compare what the call asks about, of one axis: the dataset, or what field takes of it.',
      }),
    ),
    dataset: Type.Optional(
      Type.String({ description: 'Compare another dataset, of one axis and as many elements as there are rows.' }),
    ),
    field: Type.Optional(
      Type.String({
        description: 'Compare this field of structured elements, or this named column; with dataset one of that.',
      }),
    ),
    eq: Type.Optional(anyValue({ description: 'Equal to this value.' })),
    ne: Type.Optional(anyValue({ description: 'Not equal to this value; NaN is so.' })),
    lt: Type.Optional(anyValue({ description: 'Less than this value.' })),
    le: Type.Optional(anyValue({ description: 'Less than this value, or equal.' })),
    gt: Type.Optional(anyValue({ description: 'Greater than this value.' })),
    ge: Type.Optional(anyValue({ description: 'Greater than this value, or equal.' })),
    between: Type.Optional(anyValue({ description: 'A list of the lowest and the highest value, both included.' })),
    in: Type.Optional(
      anyValue({
        description:
          'A list of values; or {"dataset": name, "field"?: name, "where"?: filter}, the values of a dataset of one axis, ' +
          'or of a field of it.',
      }),
    ),
    is_nan: Type.Optional(Type.Boolean({ description: 'Whether it is NaN.' })),
    and: Type.Optional(filterList('All of these hold.')),
    or: Type.Optional(filterList('At least one of these holds.')),
    not: Type.Optional(Type.Ref('Filter')),
  },
  {
    $id: 'Filter',
    description:
      'Which rows are used: one of column, self, dataset and field, and comparisons, which hold together; or one of ' +
      'and, or and not, alone. Integers are compared exactly; a number is rounded to the dtype of floats first, as ' +
      'numpy does; bool takes true and false. Dates take ISO text and durations counts, both "NaT"; texts are compared ' +
      'by code point; complex numbers take eq, ne and in, of pairs [re, im], and is_nan.',
    example: { column: 0, gt: 0.5 },
  },
);

export const GroupKey = Type.Object(
  {
    column: Type.Optional(
      anyValue({
        description: 'Group by this column, of a dataset of two axes: its number, or its name in attrs.columns.',
      }),
    ),
    self: Type.Optional(
      Type.Boolean({
        description: 'true: group by what the call asks about, of one axis: the dataset, or what field takes of it.',
      }),
    ),
    dataset: Type.Optional(
      Type.String({ description: 'Group by another dataset, of one axis and as many elements as there are rows.' }),
    ),
    field: Type.Optional(
      Type.String({
        description: 'Group by this field of structured elements, or this named column; with dataset one of that.',
      }),
    ),
    bins: Type.Optional(
      nullable(
        Type.Array(anyValue(), {
          description:
            'Ascending edges: numbers, or texts where the values are dates or texts. A bin has its lower edge and not its ' +
            'upper one, the last bin has both; rows outside all bins are left out.',
        }),
      ),
    ),
    every: Type.Optional(
      Type.String({
        description:
          'Blocks of dates: a count and s, m, h, d, W, M or Y, from 1970-01-01 on; weeks begin on Monday. The key is the ' +
          'first moment of a block. Instead of bins.',
        examples: ['1d'],
      }),
    ),
    rows: Type.Optional(
      int64({ description: 'Alone: blocks of so many rows of the dataset. The key is the first of them.' }),
    ),
  },
  {
    $id: 'GroupKey',
    description: 'What rows are grouped by.',
    example: { column: 0, bins: [0, 1, 10, 100] },
  },
);

export const Operation = Type.Unknown({
  $id: 'Operation',
  description:
    `The name of an operation: ${OP_NAMES.filter(op => !opRow(op).parse).join(', ')}; ` +
    'or an object with its parameters: {"quantile": {"q": [0.1, 0.5], "method": "linear"}}, where ' +
    'q is a number or a list and method any of numpy.quantile\'s; {"histogram": {"bins": 10, "range": [0, 1]}}, where ' +
    'range is that of the data by default; {"histogram": {"edges": [0, 1, 10]}}. A histogram takes no axis, and neither does unique. ' +
    '{"cov": {"ddof": 1}} and corrcoef are of the columns of the last axis, or of fields, as numpy\'s with rowvar=False. ' +
    'skew and kurtosis take {"skew": {"bias": false}}.',
  example: 'mean',
});

const STATISTICS = {
  ops: Type.Array(toldAsRef(Type.Union([Type.String(), Type.Record(Type.String(), Type.Unknown())]), 'Operation'), {
    minItems: 1,
    description: 'What is computed, in one pass where that is possible.',
  }),
  slice: Type.Optional(Type.String({ description: 'Basic indexing, applied first.' })),
  field: FIELD,
  axis: Type.Optional(
    toldAs(
      Type.Union([
        Type.Integer(),
        Type.String(),
        Type.Array(Type.Union([Type.Integer(), Type.String()]), { minItems: 1, maxItems: LIMITS.rankMax }),
        Type.Null(),
      ]),
      {
        description:
          'Axes to reduce, an integer or a name that dims gives, or a list of them; null, [] or absent reduces all.',
      },
    ),
  ),
  keepdims: Type.Optional(Type.Boolean({ description: 'Keep reduced axes, with a length of 1.' })),
  ddof: Type.Optional(
    double({ description: 'Delta degrees of freedom of var and std, 0 by default, and of cov, 1 by default.' }),
  ),
  bias: Type.Optional(
    Type.Boolean({
      description: 'false corrects skew and kurtosis for the size of a sample; true by default, as in scipy.',
    }),
  ),
  nan: Type.Optional(
    oneOf(['propagate', 'omit', 'raise'], { description: 'What NaN does: it is an element, left out, or refused.' }),
  ),
  as: Type.Optional(
    listOrAbsent(
      Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
        minItems: 1,
        description: 'Names for the results, one per operation.',
      }),
    ),
  ),
  where: Type.Optional(toldAsRef(Type.Unknown(), 'Filter')),
  group_by: Type.Optional(
    toldAs(Type.Unknown(), {
      type: 'array',
      nullable: true,
      items: { 'x-ref': 'GroupKey' },
      description:
        'Keys that rows are grouped by; one key alone needs no list. The answer then has groups, and its results are ' +
        'empty. axis is null, or holds 0.',
    }),
  ),
};

const QUERY_EXAMPLE = { ops: [{ quantile: { q: [0.1, 0.9] } }], axis: 0 };

export const StatisticsQuery = Type.Object(STATISTICS, {
  $id: 'StatisticsQuery',
  additionalProperties: false,
  description: 'What is asked of one dataset.',
  example: QUERY_EXAMPLE,
});

export const BatchQuery = Type.Object(
  {
    dataset: Type.String({ description: 'Name of the dataset.' }),
    ...STATISTICS,
    expected_shape: Type.Optional(EXPECTED_SHAPE_ASKED),
  },
  {
    $id: 'BatchQuery',
    additionalProperties: false,
    description: 'What is asked of a dataset that it names.',
    example: { dataset: 'seattle-weather', ...QUERY_EXAMPLE },
  },
);

export const StatisticsBatch = Type.Object(
  {
    queries: Type.Array(Type.Ref('BatchQuery'), {
      minItems: 1,
      maxItems: LIMITS.batchQueriesMax,
      description: 'Each is answered by a line.',
    }),
    order: Type.Optional(
      oneOf(['input', 'finished'], { description: 'Lines as the queries stand (the default), or as they finish.' }),
    ),
  },
  {
    $id: 'StatisticsBatch',
    additionalProperties: false,
    description: 'Queries that are answered with a line each.',
    example: {
      queries: [
        { dataset: 'flights-delay', ops: ['mean'] },
        { dataset: 'seattle-weather', ops: ['max'], axis: 0 },
      ],
    },
  },
);

export const Results = freeObject({
  $id: 'Results',
  description:
    'An entry per operation, a number or nested lists; none where there are groups, which have their own. The first axis ' +
    'of quantile follows a list of q; histogram is {"counts", "edges"}; cov and corrcoef have two axes of columns; unique is {"values", "counts"}, ascending, NaN ' +
    'last. NaN and infinities are text.',
  example: { mean: 7.500795, unique: { values: [0.5, 7.25, 'NaN'], counts: [2, 1, 1] } },
});

const COUNT = anyValue({ description: 'Elements used: a number, or nested lists when they differ.' });

export const Group = Type.Object(
  {
    key: anyValue({
      description:
        'A value, [low, high] of a bin, the start of a block, or a list of these for a list of keys. Dates are ISO text.',
    }),
    count: COUNT,
    results: Type.Ref('Results'),
  },
  {
    $id: 'Group',
    description: 'The rows that have a key in common.',
    example: { key: 3, count: 12, results: { mean: 4.25 } },
  },
);

const ANSWER = {
  dataset: DatasetName,
  generation: Generation,
  axis: nullable(Type.Array(int32(), { description: 'Axes that were reduced; null for all.' })),
  generations: Type.Optional(
    Type.Unsafe<Record<string, number>>({
      type: 'object',
      additionalProperties: int64(),
      description: 'Of each dataset, where several were read.',
    }),
  ),
  count: COUNT,
  results: Type.Ref('Results'),
  groups: Type.Optional(
    Type.Array(Type.Ref('Group'), {
      description: 'With group_by, in ascending order of the keys; NaN is one group, the last.',
    }),
  ),
  scanned_bytes: int64({ description: 'Bytes that were read for it.' }),
  chunks: int64({ description: 'Pieces that they were read in.' }),
  elapsed_ms: double({ description: 'Milliseconds that it took.' }),
};

const ANSWER_EXAMPLE = {
  dataset: 'flights-delay',
  generation: 1,
  axis: null,
  count: 200000,
  results: { mean: 7.500795 },
  scanned_bytes: 400000,
  chunks: 1,
  elapsed_ms: 3.704,
};

export const StatisticsAnswer = Type.Object(ANSWER, {
  $id: 'StatisticsAnswer',
  description: 'What a query found.',
  example: ANSWER_EXAMPLE,
});

export const BatchLine = Type.Object(
  {
    index: int64({ description: 'Which query of the batch it answers, from 0.' }),
    ...Type.Partial(Type.Object(ANSWER)).properties,
    error: Type.Optional(Type.Ref('Problem')),
  },
  {
    $id: 'BatchLine',
    description: 'A line of the NDJSON that answers a batch: what a query found, or the error that it met.',
    example: { index: 0, ...ANSWER_EXAMPLE },
  },
);

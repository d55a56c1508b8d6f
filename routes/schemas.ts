/** The named components of the API document. Routes refer to them; the service never builds a schema twice. */
import { Type, type Static, type TSchema } from 'typebox';
import { ERRORS, type ErrorCode } from '../src/errors.js';
import { JOB_STATES } from '../src/jobs/job.js';
import { PROBLEM_TYPE, STATUS } from '../src/plugins/errors.js';
import { LIMITS } from '../src/limits.js';

const Order = Type.Union([Type.Literal('C'), Type.Literal('F')], { description: 'Memory order, never a byte order.' });
const Mode = Type.Union([Type.Literal('r'), Type.Literal('r+'), Type.Literal('w+')], {
  description: "numpy.memmap's modes: r reads, r+ reads and writes, w+ makes or replaces.",
});
const FileFormat = Type.Union([Type.Literal('npy'), Type.Literal('raw')]);
const Attrs = Type.Record(Type.String(), Type.Unknown(), { description: 'Free metadata, kept as given.' });
const Dims = Type.Union([Type.Array(Type.String({ maxLength: LIMITS.dimNameLengthMax })), Type.Null()], {
  description: 'A name for each axis.',
});
const Shape = Type.Array(Type.Integer(), {
  maxItems: LIMITS.rankMax,
  description: 'Length of each axis; [] is a scalar.',
});

export const Problem = Type.Object(
  {
    type: Type.String({ description: 'urn:hyperslab:problem:<code>' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What is wrong, with its values, and what to do about it.' }),
    code: Type.String({ enum: Object.keys(ERRORS) }),
  },
  { $id: 'Problem', additionalProperties: true, description: 'RFC 9457; further members carry the values.' },
);

export const Dataset = Type.Object(
  {
    name: Type.String(),
    id: Type.String({ description: 'Random per registration.' }),
    dtype: Type.String({ description: "numpy's array-protocol spelling, such as <f4." }),
    shape: Shape,
    strides: Type.Array(Type.Integer(), { description: 'Bytes from one element to the next along each axis.' }),
    order: Order,
    offset: Type.Integer({ description: 'Bytes before the first element.' }),
    size: Type.Integer({ description: 'Elements.' }),
    nbytes: Type.Integer(),
    mode: Mode,
    format: FileFormat,
    generation: Type.Integer({ description: 'Counts committed writes of the file; never used twice.' }),
    external: Type.Boolean({ description: 'Other programs may change the file.' }),
    state: Type.String({ enum: ['ready', 'missing', 'truncated', 'bulk_load', 'durability_unknown', 'quarantined'] }),
    attrs: Attrs,
    dims: Dims,
    residency: Type.Optional(
      Type.Union([Type.Object({ pages: Type.Integer(), resident: Type.Integer() }), Type.Null()], {
        description: 'With ?residency=true: pages of the array, and how many are in memory. Null when not mapped.',
      }),
    ),
  },
  { $id: 'Dataset' },
);

export const DatasetList = Type.Object(
  {
    datasets: Type.Array(Type.Ref('Dataset')),
    next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Pass as cursor for the next page.' }),
  },
  { $id: 'DatasetList' },
);

export const CreateDataset = Type.Object(
  {
    name: Type.String({ description: 'Letters, digits, dots, hyphens, underscores; 1 to 128.' }),
    dtype: Type.Optional(
      Type.String({ description: 'As numpy takes it: <f8, float32, >i2. Raw files default to uint8.' }),
    ),
    shape: Type.Optional(Shape),
    order: Type.Optional(Order),
    mode: Type.Optional(Mode),
    path: Type.Optional(
      Type.String({ description: 'File to register, relative to a served folder or absolute inside one.' }),
    ),
    offset: Type.Optional(Type.Number({ description: 'Bytes before the first element of a raw file.' })),
    format: Type.Optional(FileFormat),
    fill: Type.Optional(
      Type.Union([Type.Number(), Type.String(), Type.Boolean()], {
        description: 'Value of every element of a new array; "NaN", "Infinity" and 64-bit integers as strings.',
      }),
    ),
    sparse: Type.Optional(Type.Boolean({ description: 'Leave zeros as a hole instead of reserving blocks.' })),
    overwrite: Type.Optional(Type.Boolean({ description: 'With mode w+: replace what is there.' })),
    external: Type.Optional(Type.Boolean()),
    attrs: Type.Optional(Attrs),
    dims: Type.Optional(Dims),
  },
  { $id: 'CreateDataset', additionalProperties: false },
);

export const PatchDataset = Type.Object(
  {
    attrs: Type.Optional(
      Type.Union([Type.Record(Type.String(), Type.Unknown()), Type.Null()], {
        description: 'Merged member by member; null removes.',
      }),
    ),
    dims: Type.Optional(Dims),
    mode: Type.Optional(Type.Union([Type.Literal('r'), Type.Literal('r+')])),
    external: Type.Optional(Type.Boolean({ description: 'False promises that nobody else writes the file.' })),
  },
  { $id: 'PatchDataset', additionalProperties: false, description: 'JSON merge patch (RFC 7396).' },
);

export const ArrayAnswer = Type.Object(
  {
    dataset: Type.String(),
    generation: Type.Integer(),
    dtype: Type.String(),
    shape: Shape,
    data: Type.Unknown({ description: 'Nested lists; a bare value for rank 0.' }),
  },
  { $id: 'ArrayAnswer' },
);

export const WriteAnswer = Type.Object(
  {
    dataset: Type.String(),
    generation: Type.Integer(),
    elements: Type.Integer(),
    bytes: Type.Integer(),
    durability: Type.String({ enum: ['commit', 'none'] }),
  },
  { $id: 'WriteAnswer' },
);

export const BatchAnswer = Type.Object(
  {
    dataset: Type.String(),
    generation: Type.Integer({ description: 'One for the whole batch.' }),
    writes: Type.Integer({ description: 'Slices that were written.' }),
    elements: Type.Integer(),
    bytes: Type.Integer(),
    durability: Type.Literal('commit'),
  },
  { $id: 'BatchAnswer' },
);

export const FlushAnswer = Type.Object({ dataset: Type.String(), generation: Type.Integer() }, { $id: 'FlushAnswer' });

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
    Type.Union([Type.Integer(), Type.Array(Type.Integer(), { maxItems: LIMITS.rankMax }), Type.Null()], {
      description: 'Axes to reduce; null or absent reduces all.',
    }),
  ),
  keepdims: Type.Optional(Type.Boolean()),
  ddof: Type.Optional(Type.Number({ description: 'Delta degrees of freedom of var and std.' })),
  nan: Type.Optional(Type.String({ enum: ['propagate', 'omit', 'raise'] })),
  as: Type.Optional(
    Type.Array(Type.String({ minLength: 1, maxLength: 128 }), {
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

const Time = Type.Union([Type.String({ format: 'date-time' }), Type.Null()]);

export const JobProgress = Type.Object(
  {
    chunks: Type.Integer(),
    chunks_total: Type.Integer({ description: 'Grows where a write makes chunks be read again.' }),
    bytes: Type.Integer(),
    bytes_total: Type.Integer(),
    bytes_per_second: Type.Union([Type.Number(), Type.Null()], {
      description: 'Of the last seconds; of the whole, when it has ended.',
    }),
    seconds_left: Type.Union([Type.Number(), Type.Null()], { description: 'At that rate.' }),
  },
  { $id: 'JobProgress' },
);

export const Job = Type.Object(
  {
    id: Type.String(),
    state: Type.String({ enum: [...JOB_STATES] }),
    progress: Type.Ref('JobProgress'),
    created: Type.String({ format: 'date-time' }),
    started: Time,
    ended: Time,
    result: Type.Optional(
      Type.Unknown({
        description: 'Of a job that is done: what the call would have answered; for a batch, the list of its lines.',
      }),
    ),
    error: Type.Optional(Type.Ref('Problem')),
  },
  { $id: 'Job' },
);

export const JobList = Type.Object(
  {
    jobs: Type.Array(Type.Ref('Job'), { description: 'Without their results.' }),
    next_cursor: Type.Union([Type.String(), Type.Null()], { description: 'Pass as cursor for the next page.' }),
  },
  { $id: 'JobList' },
);

export const COMPONENTS: readonly TSchema[] = [
  Problem,
  Dataset,
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

export type DatasetBody = Static<typeof Dataset>;

/** What every call can be answered, whatever it does: by the access rules, by the rate limit, during a shutdown. */
const COMMON_PROBLEMS = [
  'bad_request',
  'unauthenticated',
  'forbidden',
  'forbidden_origin',
  'forbidden_host',
  'too_many_requests',
  'keys_unavailable',
  'shutting_down',
  'internal',
] as const satisfies readonly ErrorCode[];

/** The responses of a route for the errors that it can answer, by status. */
export function problems(...codes: ErrorCode[]): Record<number, object> {
  const byStatus = new Map<number, ErrorCode[]>();
  for (const code of new Set([...codes, ...COMMON_PROBLEMS])) {
    byStatus.set(STATUS[code], [...(byStatus.get(STATUS[code]) ?? []), code]);
  }
  return Object.fromEntries(
    [...byStatus].map(([status, names]) => [
      status,
      {
        description: names.map(code => `${code}: ${ERRORS[code]}`).join('; '),
        content: { [PROBLEM_TYPE]: { schema: Type.Ref('Problem') } },
      },
    ]),
  );
}

/** Bytes that are not text, as generated clients understand it. */
export const BINARY = Type.Unsafe<Uint8Array>({ type: 'string', format: 'binary' });

/** A 200-like response with one JSON component. */
export function jsonResponse(description: string, component: string): object {
  return { description, content: { 'application/json': { schema: Type.Ref(component) } } };
}

export const NameParams = Type.Object({ name: Type.String({ description: 'Name of the dataset.' }) });

/** Errors that every call on an existing dataset shares. */
export const DATASET_PROBLEMS = [
  'unknown_dataset',
  'quarantined',
  'file_changed',
  'durability_unknown',
  'io_error',
] as const satisfies readonly ErrorCode[];

/** Errors that every call with a body shares: it may stall, or be more than there is memory for now. */
export const BODY_PROBLEMS = [
  'too_slow',
  'too_large',
  'busy',
  'unsupported_media_type',
] as const satisfies readonly ErrorCode[];

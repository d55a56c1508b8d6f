/** A dataset: described, listed, made and changed. */
import { Type, type Static } from 'typebox';
import { LIMITS } from '../../src/limits.js';
import { Shape } from './common.js';

const Order = Type.Union([Type.Literal('C'), Type.Literal('F')], { description: 'Memory order, never a byte order.' });
const Mode = Type.Union([Type.Literal('r'), Type.Literal('r+'), Type.Literal('w+')], {
  description: "numpy.memmap's modes: r reads, r+ reads and writes, w+ makes or replaces.",
});
const FileFormat = Type.Union([Type.Literal('npy'), Type.Literal('raw')]);
const Attrs = Type.Record(Type.String(), Type.Unknown(), { description: 'Free metadata, kept as given.' });
const DimName = Type.String({ maxLength: LIMITS.dimNameLengthMax });
const Dims = Type.Union([Type.Array(DimName), Type.Null()], { description: 'A name for each axis.' });
const GivenDims = Type.Union([Type.Array(DimName, { minItems: 1 }), Type.Null()], {
  description: 'A name for each axis; null for none.',
});

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

const { residency: _, ...described } = Dataset.properties;

export const DatasetEntry = Type.Object(
  {
    ...Type.Partial(Type.Object(described)).properties,
    code: Type.Optional(Type.String({ description: 'Of the problem that calls on it are answered with.' })),
    reason: Type.Optional(Type.String({ description: 'Why it cannot be served.' })),
  },
  {
    $id: 'DatasetEntry',
    description:
      'A dataset in a list: its description, or the members that `fields` names. One that could not be ' +
      'loaded has name, state, code and reason.',
  },
);

export const DatasetList = Type.Object(
  {
    datasets: Type.Array(Type.Ref('DatasetEntry')),
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
    dims: Type.Optional(GivenDims),
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
    dims: Type.Optional(GivenDims),
    mode: Type.Optional(Type.Union([Type.Literal('r'), Type.Literal('r+')])),
    external: Type.Optional(Type.Boolean({ description: 'False promises that nobody else writes the file.' })),
  },
  { $id: 'PatchDataset', additionalProperties: false, description: 'JSON merge patch (RFC 7396).' },
);

export type DatasetBody = Static<typeof Dataset>;

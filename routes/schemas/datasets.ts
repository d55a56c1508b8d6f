/** A dataset: described, listed, made and changed. */
import { Type, type Static } from 'typebox';
import { LIMITS } from '../../src/limits.js';
import {
  anyValue,
  DatasetName,
  DTypeAnswer,
  DTypeAsked,
  freeObject,
  Generation,
  int64,
  listOrAbsent,
  NextCursor,
  nullable,
  oneOf,
  Shape,
  toldAs,
} from './common.js';

const Order = oneOf(['C', 'F'], { description: 'Memory order, never a byte order.' });
const Mode = oneOf(['r', 'r+', 'w+', 'c'], {
  description:
    "numpy.memmap's modes: r reads, r+ reads and writes, w+ makes or replaces, c writes to copies in memory alone.",
});
const FileFormat = oneOf(['npy', 'raw', 'npz', 'safetensors'], {
  description: 'Whether the file has the header of a .npy, or none, or is a container of arrays.',
});
const Attrs = freeObject({ description: 'Free metadata, kept as given.' });
const DimName = Type.String({ maxLength: LIMITS.dimNameLengthMax });
const Dims = nullable(Type.Array(DimName, { description: 'A name for each axis.' }));
const GivenDims = nullable(Type.Array(DimName, { minItems: 1, description: 'A name for each axis; null for none.' }));

const DATASET_EXAMPLE = {
  name: 'seattle-weather',
  id: '6e751d612f3b3ccc8095c14c',
  dtype: '<f8',
  shape: [1461, 4],
  strides: [32, 8],
  order: 'C',
  offset: 128,
  size: 5844,
  nbytes: 46752,
  mode: 'r+',
  format: 'npy',
  path: 'arrays/seattle-weather.npy',
  root: 0,
  generation: 1,
  fill: 0,
  external: false,
  state: 'ready',
  attrs: { title: 'Daily weather of Seattle, 2012 to 2015' },
  dims: ['day', 'variable'],
};

export const Dataset = Type.Object(
  {
    name: DatasetName,
    id: Type.String({ description: 'Random per registration.' }),
    dtype: DTypeAnswer,
    shape: Shape,
    strides: nullable(
      Type.Array(int64(), {
        description: 'Bytes from one element to the next along each axis; null where the array lies in several files.',
      }),
    ),
    order: nullable(Order),
    offset: nullable(int64({ description: 'Bytes before element [0, …, 0].' })),
    size: int64({ description: 'Number of elements.' }),
    nbytes: int64({ description: 'Bytes of all elements.' }),
    mode: Mode,
    format: FileFormat,
    member: Type.Optional(Type.String({ description: 'The name of the array in its container.' })),
    path: nullable(
      Type.String({
        description: 'The file, relative to the folder `root`; null where it is in none that is served now.',
      }),
    ),
    root: nullable(
      int64({ description: 'Number of the folder: 0 is the data folder, 1 the first of HYPERSLAB_ROOTS, and so on.' }),
    ),
    generation: Generation,
    fill: anyValue({
      description:
        'What rows are made of that a resize adds, as elements are written in JSON; zero unless the array was made with ' +
        'another. Null where the dtype has no JSON, or one that is longer than kilobytes.',
    }),
    external: Type.Boolean({ description: 'Other programs may change the file.' }),
    state: oneOf(
      ['ready', 'missing', 'denied', 'truncated', 'changed', 'bulk_load', 'durability_unknown', 'quarantined'],
      {
        description: 'Whether the elements can be had now, and why not.',
      },
    ),
    attrs: Attrs,
    dims: Dims,
    parts: Type.Optional(
      toldAs(
        Type.Union([
          int64(),
          Type.Array(Type.Object({ path: Type.String(), rows: int64() }, { additionalProperties: false })),
        ]),
        {
          description:
            'Of an array in several files: how many there are; with ?parts=true a list of them, each with its path and rows.',
        },
      ),
    ),
    residency: Type.Optional(
      nullable(
        Type.Object(
          {
            pages: int64({ description: 'Pages of the array.' }),
            resident: int64({ description: 'How many of them are in memory.' }),
          },
          {
            description: 'With ?residency=true: how much of the array is in memory. Null when not mapped.',
          },
        ),
      ),
    ),
  },
  { $id: 'Dataset', description: 'An array that is served, and where its elements lie.', example: DATASET_EXAMPLE },
);

const { residency: _, parts: __, ...described } = Dataset.properties;

export const DatasetEntry = Type.Object(
  {
    ...Type.Partial(Type.Object(described)).properties,
    parts: Type.Optional(int64({ description: 'Of an array in several files: how many there are.' })),
    code: Type.Optional(Type.String({ description: 'Of the problem that calls on it are answered with.' })),
    reason: Type.Optional(Type.String({ description: 'Why it cannot be served.' })),
  },
  {
    $id: 'DatasetEntry',
    description:
      'A dataset in a list: its description without attrs, or the members that `fields` names. One that could not be ' +
      'loaded has name, state, code and reason.',
    example: DATASET_EXAMPLE,
  },
);

export const DatasetList = Type.Object(
  {
    datasets: Type.Array(Type.Ref('DatasetEntry'), { description: 'In the order of the bytes of their names.' }),
    next_cursor: NextCursor,
  },
  {
    $id: 'DatasetList',
    description: 'One page of datasets.',
    example: { datasets: [DATASET_EXAMPLE], next_cursor: null },
  },
);

const SHAPE_ASKED = {
  maxItems: LIMITS.rankMax,
  description: 'Length of each axis; of raw parts that of one, of which the first may be null: what each file holds.',
};

export const CreateDataset = Type.Object(
  {
    name: Type.String({ description: 'Letters, digits, dots, hyphens, underscores; 1 to 128.' }),
    dtype: Type.Optional(DTypeAsked),
    // Told as whole numbers, which is what nearly everybody sends: generated clients would make pointers of others.
    shape: Type.Optional(
      toldAs(Type.Array(nullable(int64()), SHAPE_ASKED), {
        ...Type.Array(int64(), SHAPE_ASKED),
        nullable: true,
      }),
    ),
    order: Type.Optional(Order),
    mode: Type.Optional(Mode),
    path: Type.Optional(
      Type.String({
        description:
          'File to register or to make, relative to a served folder or absolute inside one; the answer says where it is.',
      }),
    ),
    paths: Type.Optional(
      listOrAbsent(
        Type.Array(Type.String(), {
          maxItems: LIMITS.partsMax,
          description:
            'Several files, whose rows follow each other in this order. Or `path` has a `*` in its file name.',
        }),
      ),
    ),
    axis: Type.Optional(int64({ description: 'Along which several files follow each other: 0.' })),
    offset: Type.Optional(
      int64({ description: 'Bytes before the first element of a raw file; of a new one they are zeros.' }),
    ),
    strides: Type.Optional(
      listOrAbsent(
        Type.Array(int64(), {
          description:
            'Of a raw file: bytes from one element to the next along each axis of `shape`, negative and 0 too; `offset` is ' +
            'that of element [0, …, 0]. Mode r+ needs strides that nest.',
        }),
      ),
    ),
    format: Type.Optional(FileFormat),
    member: Type.Optional(
      Type.String({
        maxLength: LIMITS.memberNameLengthMax,
        description:
          'The array in a container: a member of a .npz, without .npy, or a tensor of a .safetensors. A file with one needs none.',
      }),
    ),
    fill: Type.Optional(
      // An integer beyond 2 ** 53 comes as bigint, which has no type in JSON Schema.
      toldAs(Type.Unsafe<unknown>({ not: { type: 'null' }, minItems: 1, minProperties: 1 }), {
        description:
          'Value of every element of a new array, as elements are written in JSON; "NaN" and "Infinity" are strings.',
      }),
    ),
    sparse: Type.Optional(Type.Boolean({ description: 'Leave zeros as a hole instead of reserving blocks.' })),
    overwrite: Type.Optional(Type.Boolean({ description: 'With mode w+: replace what is there.' })),
    external: Type.Optional(Type.Boolean({ description: 'Whether other programs may change the file.' })),
    attrs: Type.Optional(Attrs),
    dims: Type.Optional(GivenDims),
  },
  {
    $id: 'CreateDataset',
    additionalProperties: false,
    description: 'A file to register, or an array to make.',
    example: { name: 'my-array', dtype: '<f4', shape: [1000, 4] },
  },
);

export const PatchDataset = Type.Object(
  {
    attrs: Type.Optional(nullable(freeObject({ description: 'Merged member by member; null removes.' }))),
    dims: Type.Optional(GivenDims),
    mode: Type.Optional(
      oneOf(['r', 'r+', 'c'], { description: 'r reads; r+ reads and writes. A dataset of mode c keeps it.' }),
    ),
    external: Type.Optional(Type.Boolean({ description: 'False promises that nobody else writes the file.' })),
    path: Type.Optional(
      Type.String({ description: 'Of an array in several files: look for them again, by this pattern.' }),
    ),
    paths: Type.Optional(
      listOrAbsent(
        Type.Array(Type.String(), {
          maxItems: LIMITS.partsMax,
          description: 'Of an array in several files: these are its files now, with the rows that they have now.',
        }),
      ),
    ),
  },
  {
    $id: 'PatchDataset',
    additionalProperties: false,
    description: 'What changes, as a JSON merge patch (RFC 7396).',
    example: { attrs: { checked: true } },
  },
);

export const Change = Type.Object(
  {
    dataset: Type.Optional(Type.String({ description: 'Its name, in a stream of several.' })),
    id: Type.String({ description: 'Another one when the dataset was replaced.' }),
    generation: Type.Optional(Generation),
    shape: Type.Optional(Shape),
  },
  {
    $id: 'Change',
    description: 'What a dataset is now; of one that was deleted its id alone.',
    example: { id: DATASET_EXAMPLE.id, generation: 7, shape: [1461, 4] },
  },
);

export const ChangeEvent = Type.Object(
  {
    id: Type.Optional(int64({ description: 'The generation.' })),
    event: oneOf(['change', 'deleted'], { description: 'What happened.' }),
    data: Type.Ref('Change'),
  },
  {
    $id: 'ChangeEvent',
    description: 'A server-sent event of a dataset: its name, and the data as one line of JSON.',
    example: { id: 7, event: 'change', data: { id: DATASET_EXAMPLE.id, generation: 7, shape: [1461, 4] } },
  },
);

export type DatasetBody = Static<typeof Dataset>;

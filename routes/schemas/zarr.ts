/** What the API document tells of the Zarr stores: the documents and chunks of datasets that are one array. */
import { Type, type TSchema } from 'typebox';
import type { FastifySchema } from 'fastify';
import { BINARY, freeObject, nameParam, NameParams } from './common.js';
import { DATASET_PROBLEMS, problems } from './problems.js';
import { headers, type HeaderName } from './responses.js';

export const NO_QUERY = Type.Object({}, { additionalProperties: false });
const NO_PARAMS = Type.Object({});

/** Of all datasets together. */
const STORE_PROBLEMS = problems('generation_moved', 'range_not_satisfiable');
const NODE_PROBLEMS = problems(
  ...DATASET_PROBLEMS,
  'not_found',
  'unsupported_dtype',
  'range_not_satisfiable',
  'bulk_load',
);

/** One document or chunk as the API document tells of it. */
function told(
  operationId: string,
  summary: string,
  description: string,
  params: TSchema,
  ...more: HeaderName[]
): FastifySchema {
  const isChunk = operationId.endsWith('Chunk');
  const content = isChunk
    ? { 'application/octet-stream': { schema: BINARY } }
    : { 'application/json': { schema: freeObject() } };
  const answer = { ...headers('ETag', 'Accept-Ranges', ...more), content };
  return {
    operationId,
    tags: ['zarr'],
    summary,
    description,
    params,
    querystring: NO_QUERY,
    response: {
      200: { description: isChunk ? 'The chunk' : 'The document', ...answer },
      206: {
        description: 'The bytes of a Range.',
        ...headers('ETag', 'Accept-Ranges', 'Content-Range', ...more),
        content,
      },
      ...(params === NO_PARAMS ? STORE_PROBLEMS : NODE_PROBLEMS),
    },
  };
}

const chunkParams = (description: string) =>
  Type.Object({ name: nameParam('flights-delay'), chunk: Type.String({ description, example: '0' }) });
const CHUNK =
  'Uncompressed, little-endian, in C order; one at the edge is filled up to the shape that all have. A chunk that the array does not have is 404.';
const STORE =
  'Open the folder of this path with a Zarr reader. More than there is memory for comes without ETag and Content-Length.';

/** By version and path. */
export const ZARR_KEYS: Readonly<Record<2 | 3, Readonly<Record<string, FastifySchema>>>> = {
  3: {
    '/zarr.json': told(
      'readZarrStore',
      'All datasets as a Zarr group, version 3',
      `The group, with the metadata of its arrays (consolidated). ${STORE}`,
      NO_PARAMS,
    ),
    '/:name/zarr.json': told(
      'readZarrMetadata',
      'A dataset as a Zarr array, version 3',
      'A structured one is a group of its fields. ~{name} is a group of the dataset and of the coordinates that its dims name.',
      NameParams,
    ),
    '/:name/c/:chunk': told(
      'readZarrChunk',
      'A chunk of a dataset, Zarr version 3',
      CHUNK,
      chunkParams('A number for each axis, with slashes between them.'),
      'X-Dataset-Generation',
    ),
  },
  2: {
    '/.zmetadata': told(
      'readZarrTwoStore',
      'All datasets as a Zarr group, version 2',
      `The metadata of all arrays and groups (consolidated). ${STORE}`,
      NO_PARAMS,
    ),
    '/:name/.zarray': told(
      'readZarrTwoMetadata',
      'A dataset as a Zarr array, version 2',
      'A structured one is a group of its fields, and has .zgroup in its place.',
      NameParams,
    ),
    '/:name/.zattrs': told(
      'readZarrTwoAttributes',
      'The attrs of a dataset, with the names of its axes, Zarr version 2',
      'The names are in _ARRAY_DIMENSIONS, where xarray looks for them.',
      NameParams,
    ),
    '/:name/:chunk': told(
      'readZarrTwoChunk',
      'A chunk of a dataset, Zarr version 2',
      CHUNK,
      chunkParams('A number for each axis, with dots between them.'),
      'X-Dataset-Generation',
    ),
  },
};

/** Health and readiness. */
import { Type } from 'typebox';
import { LIMITS } from '../../src/limits.js';
import { int32, int64, oneOf } from './common.js';

export const Health = Type.Object(
  { status: oneOf(['ok'], { description: 'ok, whenever the process answers.' }) },
  { $id: 'Health', description: 'The process answers.', example: { status: 'ok' } },
);

export const Trouble = Type.Object(
  {
    name: Type.String({ description: 'Name of the dataset.' }),
    reason: Type.String({ description: 'Why it cannot be served.' }),
  },
  {
    $id: 'Trouble',
    description: 'A dataset that is not served.',
    example: { name: 'x', reason: 'its manifest is damaged' },
  },
);

export const Readiness = Type.Object(
  {
    status: oneOf(['ready'], { description: 'A service that is not ready answers 503.' }),
    version: Type.Optional(Type.String({ description: 'Of the service.' })),
    mapping: Type.Optional(Type.String({ description: 'How most files are read: mmap-io, koffi or positional.' })),
    mappings: Type.Optional(Type.Array(Type.String(), { description: 'All ways to map, the preferred one first.' })),
    workers: Type.Optional(int32({ description: 'Threads that compute.' })),
    data_folder: Type.Optional(
      Type.String({ description: 'writable, or why the service cannot write its own folder: EACCES, EROFS, ENOENT.' }),
    ),
    datasets: Type.Optional(int64({ description: 'How many are served.' })),
    quarantined: Type.Optional(
      Type.Array(Type.Ref('Trouble'), {
        description: `The first ${LIMITS.troublesShownMax}; GET /v1/datasets?state=quarantined lists all.`,
      }),
    ),
    quarantined_count: Type.Optional(int64({ description: 'How many there are.' })),
    folders: Type.Optional(
      Type.Array(
        Type.Object({
          folder: int32({ description: 'Which of HYPERSLAB_FOLDERS, from 1.' }),
          state: oneOf(['ready', 'away'], { description: 'Whether it can be looked at.' }),
          watched: Type.Boolean({
            description: 'Whether the kernel tells of changes; else they are found by looking, every few seconds.',
          }),
          directories: int64({ description: 'Folders in it that are looked through.' }),
        }),
        { description: 'The served folders; their files that cannot be read are in ?state=quarantined.' },
      ),
    ),
    durability_unknown: Type.Optional(
      Type.Array(Type.String(), {
        description: `The first ${LIMITS.troublesShownMax} datasets whose disk failed to say that writes are kept.`,
      }),
    ),
    durability_unknown_count: Type.Optional(int64({ description: 'How many there are.' })),
  },
  {
    $id: 'Readiness',
    description: 'What is served; without the scope read the status alone.',
    example: { status: 'ready', datasets: 5 },
  },
);

export const Links = Type.Object(
  {
    docs: Type.String({ description: 'Swagger UI.' }),
    openapi: Type.String({ description: 'The API document.' }),
    metrics: Type.String({ description: 'Prometheus metrics.' }),
    datasets: Type.String({ description: 'What is served.' }),
  },
  {
    $id: 'Links',
    description: 'Where to go from here, relative to the address of the service.',
    example: { docs: 'docs', openapi: 'openapi.json', metrics: 'metrics', datasets: 'v1/datasets' },
  },
);

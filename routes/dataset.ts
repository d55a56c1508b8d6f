/** One dataset: describe, change its metadata, forget, flush. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { fail } from '../src/errors.js';
import type { Dataset } from '../src/dataset/dataset.js';
import { JoinedDataset } from '../src/dataset/joined.js';
import { standingOf } from '../src/dataset/precondition.js';
import { checkHasFile, discardWrites } from '../src/dataset/write.js';
import { flushParts } from '../src/dataset/write-parts.js';
import { flushFile } from '../src/file/checkpoint.js';
import { answeredUntagged, preconditionOf } from '../src/plugins/conditional.js';
import { waitForChange } from '../src/plugins/wait-for-change.js';
import { LIMITS } from '../src/limits.js';
import { logChange } from '../src/plugins/logging.js';
import type { RecordPatch } from '../src/registry/registry.js';
import { describe, partsOf } from './describe.js';
import { mergePatch } from './merge-patch.js';
import {
  BODY_PROBLEMS,
  DATASET_PROBLEMS,
  double,
  int64,
  jsonResponse,
  nameParam,
  NameParams,
  oneOf,
  problems,
} from './schemas/index.js';
import type { App } from './app-type.js';

async function flushOne(found: Dataset, { files }: Context, precondition: () => void): Promise<void> {
  const file = await found.open();
  const release = file.lease();
  try {
    await flushFile(file, files.journals, precondition);
  } finally {
    release();
  }
}

export function dataset(app: App, context: Context): void {
  app.get(
    '/v1/datasets/:name',
    {
      config: { scope: 'read', asksPreconditions: true },
      schema: {
        operationId: 'describeDataset',
        tags: ['datasets'],
        summary: 'Describe a dataset',
        description: 'Its dtype and shape, where its elements lie, and its generation. No element is read.',
        params: NameParams,
        querystring: Type.Object(
          {
            residency: Type.Optional(Type.Boolean({ description: 'Also how much of it is in memory.' })),
            wait: Type.Optional(int64({ description: 'Answers as soon as the generation is another one than this.' })),
            timeout: Type.Optional(
              double({
                minimum: 1,
                maximum: LIMITS.waitSecondsMax,
                description: `Of wait: seconds after which it answers in any case; ${LIMITS.waitSecondsMax} by default.`,
              }),
            ),
            parts: Type.Optional(
              Type.Boolean({ description: 'Also which files it lies in, where these are several.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          200: jsonResponse('The dataset', 'Dataset', 'X-Dataset-Generation'),
          ...problems(...DATASET_PROBLEMS, 'busy'),
        },
      },
    },
    async (request, reply) => {
      const { name } = request.params;
      const { wait: generation, timeout, residency } = request.query;
      // Metadata has no tag: it changes without a new generation.
      if (answeredUntagged(request, reply, standingOf(request.datasets.get(name)))) return reply;
      if (generation !== undefined) {
        reply.header('cache-control', 'no-store');
        const seconds = timeout ?? LIMITS.waitSecondsMax;
        await waitForChange(context.following, request, reply, { name, generation, seconds });
      } else if (timeout !== undefined) {
        fail('bad_request', 'timeout= is of wait=<generation>, and nothing is waited for. Leave it out.');
      }
      const found = request.datasets.get(name);
      const body = await describe(found);
      reply.header('x-dataset-generation', body.generation);
      const parts = request.query.parts ? await partsOf(found) : undefined;
      const resident = residency ? { residency: await found.residency() } : {};
      return reply.send({ ...body, ...(parts && { parts }), ...resident });
    },
  );

  app.patch(
    '/v1/datasets/:name',
    {
      config: { scope: 'write', asksPreconditions: true, exactMembers: ['attrs'] },
      schema: {
        operationId: 'patchDataset',
        tags: ['datasets'],
        summary: 'Change attrs, dims, mode, external, or the files of an array in several',
        description: 'A JSON merge patch: members that are absent stay as they are.',
        params: NameParams,
        body: Type.Ref('PatchDataset'),
        response: {
          200: jsonResponse('The dataset', 'Dataset'),
          ...problems(
            ...DATASET_PROBLEMS,
            ...BODY_PROBLEMS,
            'path_forbidden',
            'file_denied',
            'data_folder_refused',
            'bulk_load',
            'format_mismatch',
            'file_in_use',
            'from_folder',
            'mode_fixed',
            'overlap',
            'part_differs',
            'file_not_found',
            'bad_npy',
            'unsupported_dtype',
            'not_an_array',
            'file_too_small',
            'not_a_regular_file',
            'file_system_refused',
            'bad_shape',
            'too_large',
            'busy',
            'disk_full',
          ),
        },
      },
    },
    async (request, reply) => {
      const { attrs, ...rest } = request.body as RecordPatch;
      const current = request.datasets.get(request.params.name).record.attrs;
      const merged = attrs === undefined ? {} : { attrs: mergePatch(current, attrs) };
      const asked = request.datasets.patch(request.params.name, { ...rest, ...merged }, preconditionOf(request));
      const patched = await asked;
      logChange(request, 'changed', patched.record);
      return reply.send(await describe(patched));
    },
  );

  app.delete(
    '/v1/datasets/:name',
    {
      config: { scope: 'admin', asksPreconditions: true },
      schema: {
        operationId: 'forgetDataset',
        tags: ['datasets'],
        summary: 'Forget a dataset; with data=delete also its file',
        description: 'Only files that the service made are deleted; others are left where they are.',
        params: Type.Object({ name: nameParam('flights-hour') }),
        querystring: Type.Object(
          {
            data: Type.Optional(
              oneOf(['keep', 'delete'], { default: 'keep', description: 'What becomes of the file.' }),
            ),
          },
          { additionalProperties: false },
        ),
        response: {
          204: { description: 'Forgotten', type: 'null' },
          ...problems(
            'unknown_dataset',
            'quarantined',
            'not_owned',
            'from_folder',
            'file_in_use',
            'generation_moved',
            'busy',
            'bulk_load',
            'io_error',
          ),
        },
      },
    },
    async (request, reply) => {
      const deletes = request.query.data === 'delete';
      const { name } = request.params;
      const record = await request.datasets.forget(name, deletes, preconditionOf(request));
      logChange(request, deletes ? 'deleted' : 'forgotten', { name, id: record?.id });
      return reply.code(204).send(null);
    },
  );

  app.post(
    '/v1/datasets/:name/flush',
    {
      config: { scope: 'write', asksPreconditions: true },
      schema: {
        operationId: 'flushDataset',
        tags: ['writes'],
        summary: 'Put the data file on disk',
        description: 'When it answers, everything written before is in the data file and on disk.',
        params: NameParams,
        response: {
          200: jsonResponse('Flushed', 'FlushAnswer'),
          ...problems(...DATASET_PROBLEMS, 'bulk_load', 'copy_on_write'),
        },
      },
    },
    async (request, reply) => {
      const found = request.datasets.get(request.params.name);
      checkHasFile(found);
      const precondition = (): void => preconditionOf(request)(standingOf(found));
      if (found instanceof JoinedDataset) await flushParts(found, precondition);
      else await flushOne(found, context, precondition);
      return reply.send({ dataset: found.record.name, generation: found.generation });
    },
  );

  app.post(
    '/v1/datasets/:name/discard',
    {
      config: { scope: 'write', asksPreconditions: true },
      schema: {
        operationId: 'discardWrites',
        tags: ['writes'],
        summary: 'Take back what was written to a dataset of mode c',
        description:
          'The copies in memory are dropped, and the dataset shows what is in the file. The generation moves; the file is not touched.',
        params: Type.Object({ name: nameParam('what-if') }),
        response: {
          200: jsonResponse('Discarded', 'DiscardAnswer'),
          ...problems(...DATASET_PROBLEMS, 'not_copy_on_write', 'busy', 'disk_full'),
        },
      },
    },
    async (request, reply) => {
      const found = request.datasets.get(request.params.name);
      const generation = await discardWrites(found, preconditionOf(request));
      return reply.send({ dataset: found.record.name, generation });
    },
  );
}

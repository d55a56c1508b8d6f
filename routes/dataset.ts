/** One dataset: describe, change its metadata, forget, flush. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { standingOf } from '../src/dataset/precondition.js';
import { checkHasFile, discardWrites } from '../src/dataset/write.js';
import { flushFile } from '../src/file/checkpoint.js';
import { answeredUntagged, preconditionOf } from '../src/plugins/conditional.js';
import { logChange } from '../src/plugins/logging.js';
import type { RecordPatch } from '../src/registry/registry.js';
import { describe } from './describe.js';
import { mergePatch } from './merge-patch.js';
import {
  BODY_PROBLEMS,
  DATASET_PROBLEMS,
  jsonResponse,
  nameParam,
  NameParams,
  oneOf,
  problems,
} from './schemas/index.js';
import type { App } from './app-type.js';

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
          { residency: Type.Optional(Type.Boolean({ description: 'Also how much of it is in memory.' })) },
          { additionalProperties: false },
        ),
        response: {
          200: jsonResponse('The dataset', 'Dataset', 'X-Dataset-Generation'),
          ...problems(...DATASET_PROBLEMS),
        },
      },
    },
    async (request, reply) => {
      const found = request.datasets.get(request.params.name);
      // Metadata has no tag: it changes without a new generation.
      if (answeredUntagged(request, reply, standingOf(found))) return reply;
      const body = await describe(found);
      reply.header('x-dataset-generation', body.generation);
      return reply.send(request.query.residency ? { ...body, residency: await found.residency() } : body);
    },
  );

  app.patch(
    '/v1/datasets/:name',
    {
      config: { scope: 'write', asksPreconditions: true, exactMembers: ['attrs'] },
      schema: {
        operationId: 'patchDataset',
        tags: ['datasets'],
        summary: 'Change attrs, dims, mode or external',
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
            'mode_fixed',
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
      const file = await found.open();
      const release = file.lease();
      try {
        await flushFile(file, context.files.journals, () => preconditionOf(request)(standingOf(found)));
      } finally {
        release();
      }
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

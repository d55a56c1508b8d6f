/** The collection: register or create. */
import { Type } from 'typebox';
import type { AskedDataset } from '../src/registry/request.js';
import { preconditionOf } from '../src/plugins/conditional.js';
import { logChange } from '../src/plugins/logging.js';
import { linkTo } from '../src/plugins/prefix.js';
import { describe } from './describe.js';
import { BODY_PROBLEMS, jsonResponse, problems } from './schemas/index.js';
import type { App } from './app-type.js';

export function datasets(app: App): void {
  app.post(
    '/v1/datasets',
    {
      config: { scope: 'write', asksPreconditions: true, exactMembers: ['attrs', 'fill'] },
      schema: {
        operationId: 'createDataset',
        tags: ['datasets'],
        summary: 'Register a file, or create an array',
        description:
          'With `path` a file is registered in place, and with `paths`, or a `*` in its name, several as one array; mode defaults to r. Without it an array is made under `arrays/`, ' +
          'zero-filled in real blocks unless `fill` or `sparse`; mode defaults to r+.',
        body: Type.Ref('CreateDataset'),
        response: {
          201: jsonResponse('The dataset', 'Dataset', 'Location'),
          ...problems(
            ...BODY_PROBLEMS,
            'bad_name',
            'bad_npy',
            'path_forbidden',
            'file_denied',
            'data_folder_refused',
            'file_not_found',
            'exists',
            'generation_moved',
            'file_in_use',
            'unsupported_dtype',
            'bad_shape',
            'not_an_array',
            'member_needed',
            'unknown_member',
            'compressed',
            'bad_container',
            'format_mismatch',
            'header_mismatch',
            'file_too_small',
            'overlap',
            'part_differs',
            'bad_axis',
            'not_a_regular_file',
            'file_system_refused',
            'shape_mismatch',
            'bad_value',
            'unknown_field',
            'would_lose',
            'too_large',
            'busy',
            'bulk_load',
            'disk_full',
          ),
        },
      },
    },
    async (request, reply) => {
      const body = request.body as AskedDataset;
      const replaces = request.datasets.has(body.name);
      const dataset = await request.datasets.create(body, preconditionOf(request));
      logChange(
        request,
        replaces ? 'replaced' : body.path === undefined && body.paths === undefined ? 'created' : 'registered',
        dataset.record,
      );
      return reply
        .code(201)
        .header('location', linkTo(request, `/v1/datasets/${dataset.record.name}`))
        .send(await describe(dataset));
    },
  );
}

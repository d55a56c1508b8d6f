/** A body of any size as a new dataset: a .npy, or a table that becomes one. */
import { Type } from 'typebox';
import type { Context } from '../src/context.js';
import { parseDType } from '../src/dtype/index.js';
import { fail } from '../src/errors.js';
import { FORMATS, isDecoded, type FormatName } from '../src/formats/index.js';
import { ofClient } from '../src/plugins/client.js';
import { preconditionOf } from '../src/plugins/conditional.js';
import { logChange } from '../src/plugins/logging.js';
import { bodyFormat, contentTypeOf } from '../src/plugins/negotiate.js';
import { linkTo } from '../src/plugins/prefix.js';
import { checkCharset, hasHeader } from '../src/plugins/table-query.js';
import { listed } from '../src/shown.js';
import { importArray } from '../src/transfer/import.js';
import { describe } from './describe.js';
import {
  BINARY,
  BODY_PROBLEMS,
  DTYPE_OF_TABLE,
  HEADER_OF_TABLE,
  MEMBER_OF_NPZ,
  jsonResponse,
  nameParam,
  problems,
} from './schemas/index.js';
import type { App } from './app-type.js';
import { bodyLength, streamedBodies, withBody } from './streamed-bodies.js';
import { decodingContext } from './write-request.js';

/** Many clients know bytes by one media type alone. */
const BYTES = 'application/octet-stream';
const TAKEN = FORMATS.filter(({ name, isTaken }) => isTaken && (name === 'npy' || name === 'npz' || isDecoded(name)));
const MEDIA_TYPES = [...TAKEN.map(({ mediaTypes }) => mediaTypes[0]), BYTES];
/** In the API document. Some generated clients take any type with "json" in its name for JSON, and send every body as that. */
const BODIES = Object.fromEntries(MEDIA_TYPES.filter(type => !type.includes('json')).map(type => [type, BINARY]));

interface ImportQuery {
  readonly overwrite?: boolean;
  readonly dtype?: string;
  readonly header?: boolean;
  readonly member?: string;
}

/** The parameters that only some formats have a use for, and these. */
const PARAMETERS: readonly { readonly name: keyof ImportQuery; readonly formats: readonly FormatName[] }[] = [
  { name: 'dtype', formats: ['csv', 'ndjson', 'arrow'] },
  { name: 'header', formats: ['csv', 'ndjson'] },
  { name: 'member', formats: ['npz'] },
];

export function importDataset(app: App, context: Context): void {
  streamedBodies(app, MEDIA_TYPES, scope => {
    scope.put(
      '/v1/datasets/:name',
      {
        config: { scope: 'write', asksPreconditions: true, bodies: BODIES },
        schema: {
          operationId: 'importDataset',
          tags: ['datasets'],
          summary: 'Import a file of any size as a new array',
          description:
            `The body is what np.save writes, one member of what np.savez does, or a table: ${listed(TAKEN.map(({ name }) => name))}, by its Content-Type; ` +
            'bytes of no other media type are a .npy. Columns of one dtype become an array of two axes, with their names as ' +
            '`attrs.columns`, a single column one of one axis, and mixed columns a structured array. The array appears ' +
            'whole, or not at all.',
          params: Type.Object({ name: nameParam('my-import') }),
          querystring: Type.Object(
            {
              overwrite: Type.Optional(Type.Boolean({ description: 'Replace what is there.' })),
              dtype: DTYPE_OF_TABLE,
              header: HEADER_OF_TABLE,
              member: MEMBER_OF_NPZ,
            },
            { additionalProperties: false },
          ),
          response: {
            200: jsonResponse('Replaced', 'Dataset', 'Location'),
            201: jsonResponse('Imported', 'Dataset', 'Location'),
            ...problems(
              ...BODY_PROBLEMS,
              'bad_name',
              'bad_npy',
              'bad_table',
              'not_an_array',
              'exists',
              'generation_moved',
              'file_in_use',
              'unsupported_media_type',
              'unsupported_dtype',
              'unknown_field',
              'bad_shape',
              'shape_mismatch',
              'body_size_mismatch',
              'bad_value',
              'would_lose',
              'no_npy_header',
              'too_large',
              'not_a_regular_file',
              'busy',
              'worker_lost',
              'no_workers',
              'bulk_load',
              'disk_full',
            ),
          },
        },
      },
      async (request, reply) => {
        const { overwrite = false, dtype, header, member } = request.query;
        const format = contentTypeOf(request) === BYTES ? 'npy' : bodyFormat(request);
        checkParameters(format, request.query);
        if (isDecoded(format)) checkCharset(request);
        // Refused before the body is read.
        if (dtype !== undefined) parseDType(dtype);
        const asked = { header: hasHeader(request, header), dtype, isNew: true, columnRank: 1 } as const;
        const form = format === 'npz' ? { format, member } : isDecoded(format) ? { format, asked } : undefined;
        const { dataset: imported, replaced } = await withBody(request, reply, body =>
          importArray(request.datasets, {
            name: request.params.name,
            overwrite,
            body,
            bodyBytes: bodyLength(request),
            other: form && { form, context: decodingContext(ofClient(context, request)) },
            precondition: preconditionOf(request),
          }),
        );
        logChange(request, replaced ? 'replaced' : 'imported', imported.record);
        return reply
          .code(replaced ? 200 : 201)
          .header('location', linkTo(request, `/v1/datasets/${imported.record.name}`))
          .send(await describe(imported));
      },
    );
  });
}

/** What would be passed over is refused. @throws bad_request */
function checkParameters(format: FormatName, query: ImportQuery): void {
  for (const { name, formats } of PARAMETERS) {
    if (query[name] === undefined || formats.includes(format)) continue;
    fail(
      'bad_request',
      `${name}= is for bodies of ${listed(formats)}, and this one comes as ${format}. Leave it out, or name the format with Content-Type.`,
      { parameter: name, format },
    );
  }
}

/** The committed API document: up to date, valid, and complete enough to generate clients from. */
import { Validator } from '@seriousme/openapi-schema-validator';
import t from 'tap';
import { openApiDocument } from '../src/openapi-document.js';
import { CALLS, COMMITTED, DOCUMENT, follow, resolved, type Answer } from './helpers/api-document.js';

t.test('it is what the routes say', async t => {
  t.ok((await openApiDocument()) === COMMITTED, 'openapi/openapi.json is stale. Remedy: npm run openapi');
});

t.test('it is valid OpenAPI', async t => {
  const { valid, errors } = await new Validator().validate(COMMITTED);
  t.ok(valid, JSON.stringify(errors));
});

t.test('every call of the contract is in it', async t => {
  t.strictSame(
    [
      'POST /v1/datasets',
      'GET /v1/datasets',
      'GET /v1/datasets/{name}',
      'PATCH /v1/datasets/{name}',
      'PUT /v1/datasets/{name}',
      'DELETE /v1/datasets/{name}',
      'GET /v1/datasets/{name}/rows/{row}',
      'GET /v1/datasets/{name}/rows',
      'GET /v1/datasets/{name}/data',
      'PUT /v1/datasets/{name}/data',
      'POST /v1/datasets/{name}/flush',
      'GET /v1/datasets/{name}/statistics',
      'POST /v1/datasets/{name}/statistics',
      'POST /v1/statistics',
      'GET /v1/jobs',
      'GET /v1/jobs/{id}',
      'DELETE /v1/jobs/{id}',
      'GET /v1/jobs/{id}/events',
      'GET /v1/datasets/{name}/events',
      'GET /v1/events',
      'GET /healthz',
      'GET /readyz',
      'GET /metrics',
    ].filter(call => !CALLS.some(each => each.call === call)),
    [],
    'missing',
  );
});

t.test('every operation has an id of its own, a summary and a known tag', async t => {
  const ids = CALLS.map(({ operation }) => operation.operationId);
  t.equal(new Set(ids).size, CALLS.length, 'ids are unique');
  const tags = DOCUMENT.tags.map(({ name }) => name);
  for (const { call, operation } of CALLS) {
    t.match(operation.operationId, /^[a-z][A-Za-z]+$/, call);
    t.ok(operation.summary && operation.summary.length > 5, call);
    t.ok(operation.tags?.length === 1 && tags.includes(operation.tags[0]!), call);
  }
  for (const tag of tags)
    t.ok(
      CALLS.some(({ operation }) => operation.tags?.includes(tag)),
      `${tag} is used`,
    );
});

t.test('every operation says how it fails, as a problem document', async t => {
  for (const { call, operation } of CALLS) {
    const failures = Object.entries(operation.responses).filter(([status]) => status >= '400');
    for (const [status, response] of failures) {
      t.ok('$ref' in response, `${call} ${status} is the same as elsewhere`);
      const { description, content } = resolved<Answer>(response);
      t.strictSame(
        content,
        { 'application/problem+json': { schema: { $ref: '#/components/schemas/Problem' } } },
        `${call} ${status}`,
      );
      t.ok(description, `${call} ${status}`);
    }
    if (operation.tags?.includes('operations')) continue;
    t.ok(
      failures.some(([status]) => status.startsWith('4')),
      `${call} has a 4xx`,
    );
    t.ok(
      Object.keys(operation.responses).some(status => status.startsWith('2')),
      `${call} has a 2xx`,
    );
  }
});

const NPZ = 'application/x-npz';
const ARROW = 'application/vnd.apache.arrow.stream';

t.test('every operation with data in its body says so, and which media types it takes', async t => {
  const wanted: Record<string, string[]> = {
    'PUT /v1/datasets/{name}': ['application/octet-stream', ARROW, 'application/x-npy', NPZ, 'text/csv'],
    'PUT /v1/datasets/{name}/data': [
      'application/json',
      'application/octet-stream',
      ARROW,
      'application/x-ndjson',
      'application/x-npy',
      NPZ,
      'text/csv',
    ],
    'POST /v1/datasets': ['application/json'],
  };
  for (const [call, types] of Object.entries(wanted)) {
    const body = CALLS.find(each => each.call === call)?.operation.requestBody;
    t.strictSame(Object.keys(body?.content ?? {}).sort(), types, call);
    t.equal(body?.required, true, `${call} needs its body`);
  }
});

t.test('path parameters are the ones of the path', async t => {
  for (const { call, url, operation } of CALLS) {
    const inPath = [...url.matchAll(/\{(\w+)\}/g)].map(match => match[1]!);
    const parameters = operation.parameters?.filter(each => each.in === 'path') ?? [];
    t.strictSame(parameters.map(each => each.name).sort(), inPath.sort(), call);
    t.ok(
      parameters.every(each => each.required),
      call,
    );
  }
});

t.test('every component is used', async t => {
  for (const [kind, members] of Object.entries(DOCUMENT.components)) {
    for (const name of Object.keys(members)) {
      // Security schemes are referred to by name alone.
      const reference = kind === 'securitySchemes' ? `"${name}": [` : `"#/components/${kind}/${name}"`;
      t.ok(COMMITTED.includes(reference), `${kind}/${name}`);
    }
  }
});

t.test('every reference leads somewhere', async t => {
  for (const [, reference = ''] of COMMITTED.matchAll(/"\$ref": "([^"]+)"/g)) {
    t.match(reference, /^#\//, reference);
    t.ok(follow(reference), reference);
  }
});

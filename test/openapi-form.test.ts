/**
 * The form of the API document: what generators of clients read in the same way. A choice between types becomes a class of
 * its own in most languages, and a whole number without a format a 32-bit one.
 */
import t from 'tap';
import { FORMATS } from '../src/formats/index.js';
import { CALLS, DOCUMENT, resolved, type Answer, type Parameter, type Schema } from './helpers/api-document.js';

/** A schema of the document, and where it stands. */
interface Place {
  readonly at: string;
  readonly schema: Schema;
}

const ROOTS: readonly Place[] = [
  ...Object.entries(DOCUMENT.components['schemas']!).map(([name, schema]) => ({ at: name, schema: schema as Schema })),
  ...CALLS.flatMap(({ call, operation }) => [
    ...(operation.parameters ?? []).map(({ name, schema }) => ({ at: `${call} ${name}`, schema })),
    ...Object.entries(operation.requestBody?.content ?? {}).map(([type, { schema }]) => ({
      at: `${call} ${type}`,
      schema,
    })),
    ...Object.entries(operation.responses).flatMap(([status, told]) => {
      const { headers = {}, content = {} } = resolved<Answer>(told);
      return [...Object.entries(headers), ...Object.entries(content)].map(([name, { schema }]) => ({
        at: `${call} ${status} ${name}`,
        schema,
      }));
    }),
  ]),
];
const PLACES = ROOTS.flatMap(withParts);

function withParts(place: Place): Place[] {
  const { at, schema } = place;
  const { properties = {}, items, additionalProperties, 'x-item': item } = schema as Readonly<Record<string, object>>;
  const parts = Object.entries({ ...properties, '[]': items, '{}': additionalProperties, 'x-item': item });
  const schemas = parts.filter((part): part is [string, Schema] => typeof part[1] === 'object');
  return [place, ...schemas.flatMap(([name, part]) => withParts({ at: `${at}.${name}`, schema: part }))];
}

t.test('no schema is a choice, or has words that OpenAPI 3.0 does not know', async t => {
  const known = new Set(
    (
      '$ref type format enum nullable default description example items properties required additionalProperties ' +
      'minimum maximum minLength maxLength minItems maxItems x-enum-varnames x-item'
    ).split(' '),
  );
  for (const { at, schema } of PLACES) {
    t.strictSame(
      Object.keys(schema).filter(word => !known.has(word)),
      [],
      at,
    );
    t.ok(schema['type'] === undefined || typeof schema['type'] === 'string', `${at} has one type`);
    t.ok(schema['nullable'] === undefined || schema['type'] !== undefined, `${at} is null or something`);
    const values = (schema['enum'] ?? []) as readonly unknown[];
    t.ok(
      values.every(value => typeof value === 'string'),
      `${at} is one of some words`,
    );
  }
});

t.test('every number says how large it can be, and bytes are binary', async t => {
  const formats: Readonly<Record<string, readonly unknown[]>> = {
    integer: ['int32', 'int64'],
    number: ['double'],
    string: [undefined, 'binary', 'date-time'],
  };
  for (const { at, schema } of PLACES) {
    const allowed = formats[String(schema['type'])] ?? [undefined];
    t.ok(allowed.includes(schema['format']), `${at} is ${String(schema['type'])} ${String(schema['format'])}`);
  }
  const types = ['application/octet-stream', 'application/x-npy', 'application/x-ndjson'];
  for (const { at, schema } of ROOTS.filter(place => types.some(type => place.at.endsWith(type)))) {
    t.match(schema, { type: 'string', format: 'binary' }, at);
  }
});

t.test('everything that has a name says what it is', async t => {
  for (const { call, operation } of CALLS) {
    t.ok(operation.operationId && operation.summary && operation.description, call);
    for (const { name, description } of operation.parameters ?? []) t.ok(description, `${call} ${name}`);
    for (const [status, told] of Object.entries(operation.responses)) {
      const { description, headers = {} } = resolved<Answer>(told);
      t.ok(description, `${call} ${status}`);
      for (const [name, header] of Object.entries(headers)) t.ok(header.description, `${call} ${status} ${name}`);
    }
  }
  for (const { at, schema } of PLACES) {
    for (const [name, member] of Object.entries((schema['properties'] ?? {}) as Record<string, Schema>)) {
      t.ok(resolved<Schema>(member)['description'], `${at}.${name}`);
    }
  }
  for (const [name, schema] of Object.entries(DOCUMENT.components['schemas']!)) {
    t.ok('description' in (schema as Schema) && 'example' in (schema as Schema), name);
  }
});

t.test('an operation answers one type of success, and problems are shared', async t => {
  // `/` is a page for people, too.
  const types = (call: {
    readonly responses: Readonly<Record<string, Answer | { readonly $ref: string }>>;
  }): string[] => {
    const succeeded = Object.entries(call.responses).filter(([status]) => status < '300');
    return [...new Set(succeeded.flatMap(([, told]) => Object.keys(resolved<Answer>(told).content ?? {})))];
  };
  for (const { call, url, operation } of CALLS) {
    t.strictSame(
      types(operation),
      url === '/' ? ['application/json', 'text/html'] : types(operation).slice(0, 1),
      call,
    );
    for (const [status, told] of Object.entries(operation.responses)) {
      t.match(status, /^[1-5]\d\d$/, `${call} has statuses alone`);
      t.equal('$ref' in told, status >= '400', `${call} ${status}`);
      if ('$ref' in told) t.match(told.$ref, /^#\/components\/responses\//, `${call} ${status}`);
    }
    const format = FORMATS.find(({ name }) => url.endsWith(`.${name}`));
    if (format && operation.operationId?.match(/^(read|get|query)/)) {
      t.strictSame(types(operation), [format.mediaTypes[0]], call);
    }
  }
});

t.test('every parameter that is needed has an example, and none is repeated', async t => {
  for (const { call, operation } of CALLS) {
    const parameters: readonly Parameter[] = operation.parameters ?? [];
    const names = parameters.map(({ name, in: where }) => `${where} ${name}`);
    t.equal(new Set(names).size, names.length, call);
    // The id of a job is what a link of the answer that made it gives.
    const given = new Set(
      CALLS.flatMap(each => Object.values(each.operation.responses))
        .flatMap(told => Object.values(resolved<Answer>(told).links ?? {}))
        .filter(({ operationId }) => operationId === operation.operationId)
        .flatMap(link => Object.keys(link.parameters)),
    );
    for (const { name, required, schema } of parameters) {
      if (required) t.ok('example' in schema || given.has(name), `${call} ${name}`);
    }
  }
});

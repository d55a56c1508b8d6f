/**
 * The committed API document, as tests ask it: its operations, where references lead, and whether an answer is what it
 * says. Answers are held to a strict copy, in which objects have no members but those that are told: some generated
 * clients refuse others.
 */
import fs from 'node:fs';
import { Ajv, type ErrorObject } from 'ajv';
import { DOCUMENT_PATH } from '../../src/openapi-document.js';

export type Schema = Readonly<Record<string, unknown>>;

export interface Parameter {
  readonly name: string;
  readonly in: 'path' | 'query' | 'header';
  readonly required?: boolean;
  readonly description?: string;
  readonly example?: unknown;
  readonly schema: Schema;
}

export interface MediaType {
  readonly schema: Schema;
  readonly example?: unknown;
}

export interface Answer {
  readonly description?: string;
  readonly headers?: Readonly<Record<string, { readonly description?: string; readonly schema: Schema }>>;
  readonly content?: Readonly<Record<string, MediaType>>;
  readonly links?: Readonly<Record<string, Link>>;
}

/** What of an answer is a parameter of another operation. */
interface Link {
  readonly operationId: string;
  readonly parameters: Readonly<Record<string, string>>;
}

export interface Reference {
  readonly $ref: string;
}

export interface Operation {
  readonly operationId?: string;
  readonly summary?: string;
  readonly description?: string;
  readonly tags?: readonly string[];
  readonly parameters?: readonly Parameter[];
  readonly requestBody?: { readonly required?: boolean; readonly content: Readonly<Record<string, MediaType>> };
  readonly responses: Readonly<Record<string, Answer | Reference>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, Operation>>>>;
  readonly components: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  readonly tags: readonly { readonly name: string }[];
}

export const COMMITTED = fs.readFileSync(DOCUMENT_PATH, 'utf8');
export const DOCUMENT = JSON.parse(COMMITTED) as Document;

/** `call` is the method and the path, such as `GET /v1/datasets`. */
export interface Call {
  readonly call: string;
  readonly method: string;
  readonly url: string;
  readonly operation: Operation;
}

export const CALLS: readonly Call[] = Object.entries(DOCUMENT.paths).flatMap(([url, methods]) =>
  Object.entries(methods).map(([name, operation]) => {
    const method = name.toUpperCase();
    return { call: `${method} ${url}`, method, url, operation };
  }),
);

/** What a reference of the document leads to, if it leads somewhere. */
export function follow(reference: string): unknown {
  return reference
    .split('/')
    .slice(1)
    .reduce<unknown>((at, part) => (at as Record<string, unknown> | undefined)?.[part], DOCUMENT);
}

/** The thing itself, where a reference may stand for it. */
export function resolved<T extends object>(thing: T | Reference): T {
  return '$ref' in thing ? (follow(thing.$ref) as T) : thing;
}

const INT32_MAX = 2 ** 31 - 1;
const ajv = new Ajv({
  strict: false,
  allErrors: true,
  formats: {
    int32: { type: 'number', validate: value => Math.abs(value) <= INT32_MAX },
    int64: { type: 'number', validate: value => Math.abs(value) < 2 ** 63 },
    double: true,
    binary: true,
    'date-time': value => !Number.isNaN(Date.parse(value)),
  },
});
ajv.addSchema(closed({ components: DOCUMENT.components, paths: DOCUMENT.paths }) as object, 'document');

/** The same schemas, where an object with named members has no others. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const copy = Object.fromEntries(Object.entries(value).map(([name, member]) => [name, closed(member)]));
  const isObject = copy['type'] === 'object' && 'properties' in copy;
  return isObject ? { additionalProperties: false, ...copy } : copy;
}

/** What is wrong with a value, by a schema of the document; empty where nothing is. */
export function faultsOf(value: unknown, schema: Schema): string[] {
  const absolute = JSON.parse(JSON.stringify(closed(schema)).replaceAll('"$ref":"#', '"$ref":"document#')) as object;
  const check = ajv.compile(absolute);
  return check(value) ? [] : (check.errors ?? []).map(faultOf);
}

function faultOf({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath} ${message} ${JSON.stringify(params)}`;
}

/**
 * What an answer is not, of what the document says of this operation; empty where all of it is kept. Headers of
 * `sometimes` may be absent, and those of problems.
 */
export function faultsOfAnswer(
  operation: Operation,
  response: Response,
  body: Buffer,
  sometimes: readonly string[] = [],
): string[] {
  const told = operation.responses[String(response.status)];
  if (!told) return [`${response.status} is not told: ${body.toString()}`];
  const { headers = {}, content } = resolved<Answer>(told);
  const ofHeaders = Object.entries(headers).flatMap(([name, { schema }]) => {
    const value = response.headers.get(name);
    if (value === null) return response.status >= 400 || sometimes.includes(name) ? [] : [`there is no ${name}`];
    return faultsOf(schema['type'] === 'integer' ? Number(value) : value, schema).map(fault => `${name}: ${fault}`);
  });
  if (!content) return [...ofHeaders, ...(body.length > 0 ? ['a body is not told'] : [])];
  const type = response.headers.get('content-type')?.split(';')[0] ?? '';
  const media = content[type];
  if (!media) return [...ofHeaders, `${type} is not told`];
  return [...ofHeaders, ...valuesOf(type, body, media.schema).flatMap(([value, schema]) => faultsOf(value, schema))];
}

/** The values of a body, each with its schema. */
function valuesOf(type: string, body: Buffer, schema: Schema): (readonly [unknown, Schema])[] {
  const text = body.toString();
  const item = schema['x-item'] as Schema | undefined;
  if (type === 'application/json' || type === 'application/problem+json') return [[JSON.parse(text), schema]];
  if (type === 'application/x-ndjson' && item) {
    return text
      .trimEnd()
      .split('\n')
      .map(line => [JSON.parse(line), item]);
  }
  if (type === 'text/event-stream') {
    const events = [...text.matchAll(/^event: (.*)\n(?:id: .*\n)?data: (.*)$/gm)];
    if (events.length === 0) return [[text, item!]];
    return events.map(([, event, data = '']) => [{ event, data: JSON.parse(data) as unknown }, item!]);
  }
  return [[text, schema]];
}

/**
 * Every example of the API document, sent as Swagger UI fills it in under "Try it out": parameters by their example or
 * default, JSON by the example of its schema. The demo arrays answer, and each answer is what the document says.
 */
import t, { type Test } from 'tap';
import {
  CALLS,
  faultsOfAnswer,
  resolved,
  type Answer,
  type Call,
  type MediaType,
  type Schema,
} from './helpers/api-document.js';
import { FORMATS } from '../src/formats/index.js';
import { start, type Service } from './helpers/server.js';
import { create } from './system/calls.js';

const BYTES = 'application/octet-stream';

/** What is made comes before what is read, and what deletes is last. */
const ORDER = ['POST', 'PUT', 'PATCH', 'GET', 'DELETE'];
const IN_ORDER = CALLS.toSorted((a, b) => ORDER.indexOf(a.method) - ORDER.indexOf(b.method));

/** What has to be gone before an operation is tried with another type of body. */
const AFTERWARDS: Readonly<Record<string, string>> = { importDataset: '/v1/datasets/my-import?data=delete' };

/** What an operation needs that no demo array is: a dataset of mode c is made first. */
const BEFOREHAND: Readonly<Record<string, object>> = {
  discardWrites: { name: 'what-if', path: 'arrays/flights-hour.npy', mode: 'c' },
};

/** Bodies that name what is not there, where no parameter of the path does. */
const ABSENT: Readonly<Record<string, object>> = {
  createDataset: { name: 'other', path: 'nowhere.npy' },
  createJob: { dataset: 'nowhere', ops: ['mean'] },
  selectMany: { reads: [{ dataset: 'nowhere' }] },
};

/** Parameters that links of earlier answers gave, by operation. */
type Links = Map<string, Readonly<Record<string, string>>>;

t.test('every example succeeds on the demo arrays, as it is told', async t => {
  const server = await start(t, { env: { HYPERSLAB_DEMO: 'auto' } });
  const links: Links = new Map();
  for (const call of IN_ORDER) {
    const { operationId = '', requestBody } = call.operation;
    const path = filled(t, call, links.get(operationId) ?? {});
    // oxlint-disable-next-line no-await-in-loop
    if (operationId in BEFOREHAND) await create(server, { ...BEFOREHAND[operationId]! });
    for (const [type, media] of Object.entries(requestBody?.content ?? { '': undefined })) {
      // oxlint-disable-next-line no-await-in-loop
      const body = await bodyOf(server, call, type, media);
      if (media && body === undefined) t.fail(`${call.call} has no example of ${type}`);
      const headers = { ...headersOf(call), ...(media && { 'content-type': type }) };
      // oxlint-disable-next-line no-await-in-loop
      const response = await server.fetch(path, { method: call.method, headers, ...(body !== undefined && { body }) });
      // oxlint-disable-next-line no-await-in-loop
      const bytes = await bytesOf(response);
      const title = `${call.call} ${type}`;
      t.ok(response.ok, `${title} is ${response.status}: ${response.ok ? '' : bytes.toString()}`);
      // A range would be one of the plain answer.
      const absent = response.headers.has('content-encoding') ? ['X-Coarsen', 'Accept-Ranges'] : ['X-Coarsen'];
      t.strictSame(faultsOfAnswer(call.operation, response, bytes, absent), [], title);
      noteLinks(links, call, response.status, bytes);
      // oxlint-disable-next-line no-await-in-loop
      if (operationId in AFTERWARDS) await server.fetch(AFTERWARDS[operationId]!, { method: 'DELETE' });
    }
  }
});

/** The whole answer; of a stream of events, which may go on for ever, the first. */
async function bytesOf(response: Response): Promise<Buffer> {
  const isStream = response.headers.get('content-type')?.startsWith('text/event-stream');
  if (!isStream) return Buffer.from(await response.arrayBuffer());
  const reader = response.body!.getReader();
  const { value } = await reader.read();
  await reader.cancel();
  return Buffer.from(value ?? []);
}

t.test('every operation that can be answered 404 is, as it is told', async t => {
  const server = await start(t, { env: { HYPERSLAB_DEMO: 'auto' } });
  for (const call of CALLS.filter(({ operation }) => '404' in operation.responses)) {
    const { operationId = '', requestBody } = call.operation;
    const path = filled(t, call, { name: 'nowhere', datasets: 'nowhere', id: 'f'.repeat(32) });
    const [[type, media] = ['', undefined]] = Object.entries(requestBody?.content ?? {});
    const absent = ABSENT[operationId];
    // oxlint-disable-next-line no-await-in-loop
    const body = absent ? JSON.stringify(absent) : await bodyOf(server, call, type, media);
    const headers = { ...headersOf(call), ...(media && { 'content-type': type }) };
    // oxlint-disable-next-line no-await-in-loop
    const response = await server.fetch(path, { method: call.method, headers, ...(body !== undefined && { body }) });
    t.equal(response.status, 404, call.call);
    t.equal(response.headers.get('content-type')?.split(';')[0], 'application/problem+json', call.call);
    // oxlint-disable-next-line no-await-in-loop
    t.strictSame(faultsOfAnswer(call.operation, response, Buffer.from(await response.arrayBuffer())), [], call.call);
  }
});

/** The path of a call with its parameters, as the document fills them in. */
function filled(t: Test, { call, url, operation }: Call, given: Readonly<Record<string, string>>): string {
  let path = url;
  const query = new URLSearchParams();
  for (const { name, in: where, required, example, schema } of operation.parameters ?? []) {
    const told = example ?? schema['example'] ?? schema['default'];
    const value = (given[name] ?? told) as string | number | undefined;
    if (value === undefined) {
      if (required) t.fail(`${call} has no example of ${name}`);
    } else if (where === 'path') path = path.replace(`{${name}}`, encodeURIComponent(String(value)));
    else if (where === 'query') query.set(name, String(value));
  }
  return query.size === 0 ? path : `${path}?${query.toString()}`;
}

/** Swagger UI accepts the first type of an answer. */
function headersOf({ operation }: Call): Record<string, string> {
  const succeeded = Object.entries(operation.responses).find(([status]) => status.startsWith('2'))?.[1];
  const [accept = '*/*'] = Object.keys((succeeded && resolved<Answer>(succeeded).content) ?? {});
  const inHeader = (operation.parameters ?? []).filter(each => each.in === 'header');
  const values = inHeader.map(({ name, example, schema }) => [name, example ?? schema['example']] as const);
  const given = values.filter(([, value]) => value !== undefined);
  return { accept, ...(Object.fromEntries(given) as Record<string, string>) };
}

/** JSON by its example. Bytes are chosen by hand in Swagger UI: here they are what the service itself has read. */
async function bodyOf(
  server: Service,
  { url, operation }: Call,
  type: string,
  media: MediaType | undefined,
): Promise<string | Uint8Array<ArrayBuffer> | undefined> {
  if (!media) return undefined;
  if (/[/+]json$/.test(type)) {
    const example = media.example ?? resolved<Schema>(media.schema)['example'];
    return example === undefined ? undefined : JSON.stringify(example);
  }
  const named = FORMATS.find(({ mediaTypes }) => type !== BYTES && mediaTypes.some(each => each === type))?.name;
  const ofPath = FORMATS.find(({ name }) => url.endsWith(`/data.${name}`))?.name;
  const format = named ?? ofPath ?? (operation.operationId === 'importDataset' ? 'npy' : 'raw');
  const slice = operation.parameters?.find(({ name }) => name === 'slice')?.schema['example'] as string | undefined;
  const query = slice === undefined ? '' : `?slice=${encodeURIComponent(slice)}`;
  const answer = await server.fetch(`/v1/datasets/seattle-weather/data.${format}${query}`);
  return new Uint8Array(await answer.arrayBuffer());
}

/** `$response.body#/id` is the member `id` of the answer. */
function noteLinks(links: Links, { operation }: Call, status: number, body: Buffer): void {
  const told = operation.responses[String(status)];
  for (const { operationId, parameters } of Object.values((told && resolved<Answer>(told).links) ?? {})) {
    const answer = JSON.parse(body.toString()) as Record<string, string>;
    const values = Object.entries(parameters).map(([name, from]) => [
      name,
      answer[from.replace('$response.body#/', '')] ?? '',
    ]);
    links.set(operationId, Object.fromEntries(values) as Record<string, string>);
  }
}

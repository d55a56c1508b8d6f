/**
 * Preconditions (RFC 9110, 13) as one table: every operation of the API document, asked with every kind of condition. A
 * new operation needs a row here, so that none goes without.
 */
import fs from 'node:fs';
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import t from 'tap';
import { DOCUMENT_PATH } from '../../src/openapi-document.js';
import { type Service } from '../helpers/server.js';
import { caseStride } from '../helpers/cases.js';
import { startHere } from '../helpers/service-here.js';
import { arrowOf, npzOf } from '../helpers/tables.js';

interface Call {
  readonly operationId: string;
  readonly method: string;
  /** `{name}` stands for a dataset that was made for this request, `{job}` for a job that has ended. */
  readonly url: string;
  readonly type?: string;
  readonly body?: string | Uint8Array;
  /** What it is about: a dataset, something without entity tags, or a name that may be free. */
  readonly about: 'dataset' | 'untagged' | 'name';
  /** Of a call that the datasets of this test do not take: what it answers where the preconditions hold. */
  readonly refused?: number;
}

const DATASET = '/v1/datasets/{name}';
const JSON_TYPE = 'application/json';
const NPY = 'application/x-npy';
const BYTES = 'application/octet-stream';

/** A table of one element, which fills the dataset. */
const TABLES: Readonly<Record<string, string | Buffer>> = {
  Csv: 'c0\n7\n',
  Ndjson: '[7]\n',
  Arrow: arrowOf(7),
  Npz: npzOf(7),
};

const CALLS: readonly Call[] = [
  { operationId: 'describeDataset', method: 'GET', url: DATASET, about: 'dataset' },
  {
    operationId: 'patchDataset',
    method: 'PATCH',
    url: DATASET,
    type: JSON_TYPE,
    body: '{"attrs":{"a":1}}',
    about: 'dataset',
  },
  {
    operationId: 'patchDataset',
    method: 'PATCH',
    url: DATASET,
    type: JSON_TYPE,
    body: '{"mode":"r"}',
    about: 'dataset',
  },
  { operationId: 'forgetDataset', method: 'DELETE', url: DATASET, about: 'dataset' },
  { operationId: 'forgetDataset', method: 'DELETE', url: `${DATASET}?data=delete`, about: 'dataset' },
  { operationId: 'flushDataset', method: 'POST', url: `${DATASET}/flush`, about: 'dataset' },
  { operationId: 'discardWrites', method: 'POST', url: `${DATASET}/discard`, about: 'dataset', refused: 409 },
  {
    operationId: 'selectData',
    method: 'POST',
    url: `${DATASET}/select`,
    type: JSON_TYPE,
    body: '{"index":[[0]]}',
    about: 'dataset',
  },
  {
    operationId: 'selectMany',
    method: 'POST',
    url: '/v1/select',
    type: JSON_TYPE,
    body: '{"reads":[{"dataset":"{name}"}]}',
    about: 'untagged',
  },
  { operationId: 'readRow', method: 'GET', url: `${DATASET}/rows/1`, about: 'dataset' },
  { operationId: 'readRows', method: 'GET', url: `${DATASET}/rows?format=npy`, about: 'dataset' },
  { operationId: 'readData', method: 'GET', url: `${DATASET}/data?format=raw`, about: 'dataset' },
  { operationId: 'readData', method: 'HEAD', url: `${DATASET}/data`, about: 'dataset' },
  { operationId: 'writeData', method: 'PUT', url: `${DATASET}/data`, type: JSON_TYPE, body: '7', about: 'dataset' },
  {
    operationId: 'writeData',
    method: 'PUT',
    url: `${DATASET}/data?durability=none`,
    type: JSON_TYPE,
    body: '7',
    about: 'dataset',
  },
  ...['Json', 'Raw', 'Npy'].flatMap((format): Call[] => {
    const url = `${DATASET}/data.${format.toLowerCase()}`;
    const body = { Json: '7', Raw: Buffer.of(7), Npy: npy() }[format]!;
    const slice = format === 'Npy' ? '?slice=:2' : '';
    const write = { method: 'PUT', url: `${url}${slice}`, type: format === 'Json' ? JSON_TYPE : BYTES, body } as const;
    return [
      { operationId: `readData${format}`, method: 'GET', url, about: 'dataset' },
      { operationId: `writeData${format}`, ...write, about: 'dataset' },
    ];
  }),
  ...['Raw', 'Npy'].flatMap((format): Call[] => {
    const url = `${DATASET}/statistics.${format.toLowerCase()}`;
    const query = { method: 'POST', url, type: JSON_TYPE, body: '{"ops":["sum"]}' } as const;
    return [
      { operationId: `getStatistics${format}`, method: 'GET', url: `${url}?ops=sum`, about: 'dataset' },
      { operationId: `queryStatistics${format}`, ...query, about: 'dataset' },
    ];
  }),
  {
    operationId: 'createJob',
    method: 'POST',
    url: '/v1/jobs',
    type: JSON_TYPE,
    body: '{"dataset":"{name}","ops":["sum"]}',
    about: 'dataset',
  },
  {
    operationId: 'appendRows',
    method: 'POST',
    url: `${DATASET}/append`,
    type: JSON_TYPE,
    body: '7',
    about: 'dataset',
  },
  {
    operationId: 'resizeDataset',
    method: 'POST',
    url: `${DATASET}/resize`,
    type: JSON_TYPE,
    body: '{"shape":[5]}',
    about: 'dataset',
  },
  {
    operationId: 'writeBatch',
    method: 'POST',
    url: `${DATASET}/writes`,
    type: JSON_TYPE,
    body: '{"writes":[{"data":7}]}',
    about: 'dataset',
  },
  { operationId: 'getStatistics', method: 'GET', url: `${DATASET}/statistics?ops=sum`, about: 'dataset' },
  { operationId: 'getStatistics', method: 'GET', url: `${DATASET}/statistics?ops=sum&format=npy`, about: 'dataset' },
  {
    operationId: 'queryStatistics',
    method: 'POST',
    url: `${DATASET}/statistics`,
    type: JSON_TYPE,
    body: '{"ops":["sum"]}',
    about: 'dataset',
  },
  {
    operationId: 'createDataset',
    method: 'POST',
    url: '/v1/datasets',
    type: JSON_TYPE,
    body: '{"name":"{name}","dtype":"u1","shape":[3],"mode":"w+","overwrite":true}',
    about: 'name',
  },
  {
    operationId: 'importDataset',
    method: 'PUT',
    url: `${DATASET}?overwrite=true`,
    type: NPY,
    body: npy(),
    about: 'name',
  },
  { operationId: 'readDataJson', method: 'GET', url: `${DATASET}/data.json`, about: 'dataset' },
  {
    operationId: 'writeDataJson',
    method: 'PUT',
    url: `${DATASET}/data.json`,
    type: JSON_TYPE,
    body: '7',
    about: 'dataset',
  },
  { operationId: 'readDataRaw', method: 'GET', url: `${DATASET}/data.raw`, about: 'dataset' },
  {
    operationId: 'writeDataRaw',
    method: 'PUT',
    url: `${DATASET}/data.raw`,
    type: 'application/octet-stream',
    body: '123',
    about: 'dataset',
  },
  ...['Csv', 'Ndjson', 'Npz', 'Png', 'Arrow', 'Parquet'].map(
    format =>
      ({
        operationId: `readData${format}`,
        method: 'GET',
        // Pictures have two axes.
        url: `${DATASET}/data.${format.toLowerCase()}${format === 'Png' ? '?slice=newaxis' : ''}`,
        about: 'dataset',
      }) as const,
  ),
  ...Object.keys(TABLES).map(
    format =>
      ({
        operationId: `writeData${format}`,
        method: 'PUT',
        url: `${DATASET}/data.${format.toLowerCase()}`,
        type: BYTES,
        body: TABLES[format]!,
        about: 'dataset',
      }) as const,
  ),
  { operationId: 'readDataNpy', method: 'GET', url: `${DATASET}/data.npy`, about: 'dataset' },
  { operationId: 'writeDataNpy', method: 'PUT', url: `${DATASET}/data.npy`, type: NPY, body: npy(3), about: 'dataset' },
  { operationId: 'getStatisticsRaw', method: 'GET', url: `${DATASET}/statistics.raw?ops=sum`, about: 'dataset' },
  {
    operationId: 'queryStatisticsRaw',
    method: 'POST',
    url: `${DATASET}/statistics.raw`,
    type: JSON_TYPE,
    body: '{"ops":["sum"]}',
    about: 'dataset',
  },
  { operationId: 'getStatisticsNpy', method: 'GET', url: `${DATASET}/statistics.npy?ops=sum`, about: 'dataset' },
  {
    operationId: 'queryStatisticsNpy',
    method: 'POST',
    url: `${DATASET}/statistics.npy`,
    type: JSON_TYPE,
    body: '{"ops":["sum"]}',
    about: 'dataset',
  },
  { operationId: 'listDatasets', method: 'GET', url: '/v1/datasets', about: 'untagged' },
  {
    operationId: 'batchStatistics',
    method: 'POST',
    url: '/v1/statistics',
    type: JSON_TYPE,
    body: '{"queries":[{"dataset":"{name}","ops":["sum"]}]}',
    about: 'untagged',
  },
  { operationId: 'listJobs', method: 'GET', url: '/v1/jobs', about: 'untagged' },
  { operationId: 'getJob', method: 'GET', url: '/v1/jobs/{job}', about: 'untagged' },
  { operationId: 'deleteJob', method: 'DELETE', url: '/v1/jobs/{job}', about: 'untagged' },
  { operationId: 'watchJob', method: 'GET', url: '/v1/jobs/{job}/events', about: 'untagged' },
  { operationId: 'home', method: 'GET', url: '/', about: 'untagged' },
  { operationId: 'watchDataset', method: 'HEAD', url: `${DATASET}/events`, about: 'dataset' },
  { operationId: 'watchDatasets', method: 'HEAD', url: '/v1/events?datasets={name}', about: 'untagged' },
  { operationId: 'health', method: 'GET', url: '/healthz', about: 'untagged' },
  { operationId: 'readiness', method: 'GET', url: '/readyz', about: 'untagged' },
  { operationId: 'metrics', method: 'GET', url: '/metrics', about: 'untagged' },
  { operationId: 'readZarrStore', method: 'GET', url: '/zarr/zarr.json', about: 'untagged' },
  { operationId: 'readZarrMetadata', method: 'GET', url: '/zarr/{name}/zarr.json', about: 'dataset' },
  { operationId: 'readZarrChunk', method: 'GET', url: '/zarr/{name}/c/0', about: 'dataset' },
  { operationId: 'readZarrChunk', method: 'HEAD', url: '/zarr/{name}/c/0', about: 'dataset' },
  { operationId: 'readZarrTwoStore', method: 'GET', url: '/zarr2/.zmetadata', about: 'untagged' },
  { operationId: 'readZarrTwoMetadata', method: 'GET', url: '/zarr2/{name}/.zarray', about: 'dataset' },
  { operationId: 'readZarrTwoAttributes', method: 'HEAD', url: '/zarr2/{name}/.zattrs', about: 'dataset' },
  { operationId: 'readZarrTwoChunk', method: 'GET', url: '/zarr2/{name}/0', about: 'dataset' },
];

type Conditions = Readonly<Record<string, string | string[]>>;

interface Condition {
  readonly title: string;
  /** `{tag}` stands for `<id>.<generation>` of the dataset. */
  readonly headers: Conditions;
  /** Where there is a dataset: `go` is what the call answers without conditions. */
  readonly read: 'go' | number;
  readonly change: 'go' | number;
  /** The same for what has no tags. */
  readonly untagged?: { readonly read: 'go' | number; readonly change: 'go' | number };
}

const match = (...value: string[]): Conditions => ({ 'if-match': value.length === 1 ? value[0]! : value });
const none = (...value: string[]): Conditions => ({ 'if-none-match': value.length === 1 ? value[0]! : value });
const REFUSED = { read: 412, change: 412 } as const;
const GO = { read: 'go', change: 'go' } as const;

const CONDITIONS: readonly Condition[] = [
  { title: 'If-Match, stale', headers: match('"{tag}0"'), ...REFUSED },
  { title: 'If-Match, the state', headers: match('"{tag}"'), ...GO, untagged: REFUSED },
  { title: 'If-Match, the state in some format', headers: match('"{tag}.npy"'), ...GO, untagged: REFUSED },
  { title: 'If-Match, any', headers: match(' * '), ...GO, untagged: GO },
  {
    title: 'If-Match, a list with blanks and an empty element',
    headers: match('"x",, "y, z" ,\t"{tag}"'),
    ...GO,
    untagged: REFUSED,
  },
  { title: 'If-Match, several lines', headers: match('"x"', '"{tag}"'), ...GO, untagged: REFUSED },
  { title: 'If-Match, weak', headers: match('W/"{tag}"'), ...REFUSED },
  { title: 'If-Match, no quotes', headers: match('{tag}'), ...REFUSED },
  { title: 'If-Match, a quote is missing', headers: match('"{tag}'), ...REFUSED },
  { title: 'If-Match, a list that is not one', headers: match('"{tag}" "x"'), ...REFUSED },
  { title: 'If-Match, any beside a tag', headers: match('*, "x"'), ...REFUSED },
  { title: 'If-Match, empty', headers: match(''), ...REFUSED },
  { title: 'If-None-Match, any', headers: none('*'), read: 304, change: 412 },
  { title: 'If-None-Match, the state', headers: none('"{tag}"'), read: 'go', change: 412, untagged: GO },
  { title: 'If-None-Match, weak', headers: none('W/"{tag}"'), read: 'go', change: 412, untagged: GO },
  { title: 'If-None-Match, several lines', headers: none('"x"', '"{tag}"'), read: 'go', change: 412, untagged: GO },
  { title: 'If-None-Match, another state', headers: none('"{tag}0"'), ...GO, untagged: GO },
  { title: 'If-None-Match, no list', headers: none('{tag}'), read: 'go', change: 400 },
  { title: 'both, If-Match first', headers: { ...match('"x"'), ...none('*') }, ...REFUSED },
];

const STRIDE = caseStride(3);

/** The conditions that a call is asked with: all of them, or in the short form every third, beginning elsewhere each time. */
function conditionsOf(row: number): readonly Condition[] {
  return CONDITIONS.filter((_, i) => (i + row) % STRIDE === 0);
}

t.test('every operation of the document has a row, and says so', async t => {
  const { paths } = JSON.parse(fs.readFileSync(DOCUMENT_PATH, 'utf8')) as {
    paths: Record<
      string,
      Record<string, { operationId: string; responses: object; parameters?: { name: string; in: string }[] }>
    >;
  };
  const operations = Object.values(paths).flatMap(methods => Object.values(methods));
  const rows = new Map(CALLS.map(call => [call.operationId, call]));
  for (const { operationId, responses, parameters = [] } of operations) {
    const row = rows.get(operationId);
    t.ok(row, `${operationId} has a row in the table of this test`);
    if (row === undefined || (row.about === 'untagged' && !row.url.includes('{job}'))) continue;
    t.ok('412' in responses, `${operationId} lists 412`);
    const headers = parameters.filter(each => each.in === 'header').map(each => each.name);
    t.ok(headers.includes('if-match') && headers.includes('if-none-match'), `${operationId} documents its headers`);
  }
});

t.test('every operation asks for its preconditions, and what is refused changes nothing', async t => {
  const server = await startHere(t);
  for (const [row, call] of CALLS.entries()) {
    const isRead = call.method === 'GET' || call.method === 'HEAD';
    const plain = await answerTo(server, call, {}, await make(server, call));
    t.ok(plain.status < 300 || plain.status === call.refused, `${call.method} ${call.url} answers ${plain.status}`);
    // What is refused leaves its subject as it was, so that the next condition can be asked of the same.
    let subject = await make(server, call);
    for (const { title, headers, read, change, untagged } of conditionsOf(row)) {
      const expected = (call.about === 'untagged' ? untagged : undefined) ?? { read, change };
      const wanted = isRead ? expected.read : expected.change;
      const isChange = wanted === 'go' && !isRead;
      if (isChange) t.strictSame(await stateOf(server, subject.name), subject.before, 'refusals changed nothing');
      const answer = await answerTo(server, call, headers, subject);
      const what = `${call.method} ${call.url}: ${title}`;
      t.equal(answer.status, wanted === 'go' ? plain.status : wanted, what);
      if (answer.status === 412 && call.method !== 'HEAD') {
        const current = call.about === 'untagged' ? null : `"${subject.tag}"`;
        t.match(answer.problem, { code: 'generation_moved', current }, what);
        if (title === 'If-Match, weak' && current) t.match(answer.problem, { reason: 'weak', detail: /gzip off/ });
      }
      if (isChange) subject = await make(server, call);
    }
    t.strictSame(await stateOf(server, subject.name), subject.before, `${call.method} ${call.url} changed nothing`);
  }
});

t.test('a name that is free: only what makes it has preconditions, all else is 404', async t => {
  const server = await startHere(t);
  const named = CALLS.filter(each => each.url.includes('{job}') || each.about !== 'untagged');
  for (const [row, call] of named.entries()) {
    for (const { title, headers } of conditionsOf(row)) {
      const free = { name: `free${made++}`, tag: 'x.1', job: '0'.repeat(32), before: undefined };
      const answer = await answerTo(server, call, headers, free);
      const what = `${call.method} ${call.url}: ${title}`;
      if (call.about !== 'name') t.equal(answer.status, 404, what);
      else if (title.includes('no list')) t.equal(answer.status, 400, what);
      else if ('if-match' in headers) {
        t.equal(answer.status, 412, what);
        t.match(answer.problem, { code: 'generation_moved', current: null, generation: null });
      } else t.equal(answer.status, 201, what);
    }
  }
});

t.test('the condition is asked when it is the turn of a change: no write that was confirmed is lost', async t => {
  const server = await startHere(t);
  const changes: readonly [string, RequestInit, { 'content-type'?: string }][] = [
    ['?data=delete', { method: 'DELETE' }, {}],
    ['?overwrite=true', { method: 'PUT', body: npy() }, { 'content-type': NPY }],
  ];
  for (const [query, init, type] of changes) {
    let refused = 0;
    for (let round = 0; round < 24; round++) {
      const { name, tag } = await make(server);
      const url = `/v1/datasets/${name}`;
      const write = (): Promise<Response> =>
        server.fetch(`${url}/data`, { method: 'PUT', headers: { 'content-type': JSON_TYPE }, body: '9' });
      const change = (): Promise<Response> =>
        server.fetch(`${url}${query}`, { ...init, headers: { ...type, 'if-match': `"${tag}"` } });
      // Some come before the write, some while it waits for the disk, some after it.
      const later = sleep(round % 6).then(change);
      const [written, changed] = await Promise.all([write(), later]);
      t.notOk(written.ok && changed.ok, `${init.method}: ${written.status} and ${changed.status}`);
      if (changed.status === 412) refused++;
      await server.fetch(`${url}?data=delete`, { method: 'DELETE' });
    }
    t.ok(refused > 0, `${init.method} was refused ${refused} times`);
  }
});

let made = 0;

/** What a call is about. */
interface Subject {
  readonly name: string;
  /** `<id>.<generation>`. */
  readonly tag: string;
  readonly job: string;
  readonly before: State | undefined;
}

/** A dataset, and a job where the call is about one. */
async function make(server: Service, call?: Call): Promise<Subject> {
  const name = `d${made++}`;
  const response = await server.fetch('/v1/datasets', {
    method: 'POST',
    headers: { 'content-type': JSON_TYPE },
    body: JSON.stringify({ name, dtype: 'u1', shape: [3] }),
  });
  t.equal(response.status, 201);
  const { id, generation } = (await response.json()) as { id: string; generation: number };
  const job = call?.url.includes('{job}') ? await makeJob(server, name) : '';
  return { name, tag: `${id}.${generation}`, job, before: await stateOf(server, name) };
}

async function makeJob(server: Service, name: string): Promise<string> {
  const response = await server.fetch(`/v1/datasets/${name}/statistics?ops=sum`, {
    headers: { prefer: 'respond-async' },
  });
  const { id } = (await response.json()) as { id: string };
  for (;;) {
    const { state } = (await (await server.fetch(`/v1/jobs/${id}`)).json()) as { state: string };
    if (state === 'done') return id;
  }
}

interface State {
  readonly dataset: unknown;
  readonly data: unknown;
}

async function stateOf(server: Service, name: string): Promise<State> {
  const of = async (url: string): Promise<unknown> => (await server.fetch(url)).json();
  return { dataset: await of(`/v1/datasets/${name}`), data: await of(`/v1/datasets/${name}/data`) };
}

/** What a call answers with conditions. */
async function answerTo(
  server: Service,
  { method, url, type, body }: Call,
  conditions: Conditions,
  { name, tag, job }: Subject,
): Promise<{ status: number; problem: unknown }> {
  const fill = (text: string): string =>
    text.replaceAll('{name}', name).replaceAll('{job}', job).replaceAll('{tag}', tag);
  const headers = Object.entries(conditions).map(([header, value]) => [
    header,
    Array.isArray(value) ? value.map(fill) : fill(value),
  ]);
  const { status, text } = await send(`${server.url}${fill(url)}`, {
    method,
    headers: { ...(type !== undefined && { 'content-type': type }), ...Object.fromEntries(headers) },
    body: typeof body === 'string' ? fill(body) : body,
  });
  return { status, problem: status >= 400 && method !== 'HEAD' ? JSON.parse(text) : {} };
}

const agent = new http.Agent({ keepAlive: true });
t.teardown(() => agent.destroy());

/** With a header on several lines, which fetch would join. */
function send(
  url: string,
  { body, ...options }: { method: string; headers: http.OutgoingHttpHeaders; body: string | Uint8Array | undefined },
): Promise<{ status: number; text: string }> {
  return new Promise((resolve, reject) => {
    const request = http.request(url, { agent, ...options }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, text }));
    });
    request.on('error', reject).end(body);
  });
}

/** np.save of an array of unsigned bytes: 1, 2, … */
function npy(length = 2): Uint8Array<ArrayBuffer> {
  const head = `{'descr': '|u1', 'fortran_order': False, 'shape': (${length},), }`.padEnd(117) + '\n';
  const values = Array.from({ length }, (_, i) => i + 1);
  return new Uint8Array(
    Buffer.concat([Buffer.from('\x93NUMPY\x01\x00\x76\x00', 'latin1'), Buffer.from(head), Buffer.from(values)]),
  );
}

/**
 * What holds for every call of the API document: unknown and repeated parameters, numbers, other methods, HEAD, and paths
 * beside it.
 */
import t from 'tap';
import { CALLS, resolved, type Call, type MediaType, type Parameter, type Schema } from '../helpers/api-document.js';
import { start, type TestServer } from '../helpers/server.js';
import { eventually, json } from '../system/calls.js';

let server: TestServer;
let job: string;

t.before(async () => {
  server = await start(t, { env: { HYPERSLAB_DEMO: 'auto' } });
  const made = await server.fetch('/v1/jobs', json('POST', { dataset: 'seattle-weather', ops: ['mean'] }));
  ({ id: job } = (await made.json()) as { id: string });
  const state = async (): Promise<unknown> => (await server.fetch(`/v1/jobs/${job}`)).json();
  t.ok(await eventually(async () => ((await state()) as { state: string }).state === 'done'));
});

/** The path of a call, with its parameters filled in. */
function pathOf({ url, operation }: Call): string {
  return url.replaceAll(/\{(\w+)\}/g, (_, name) => {
    const found = operation.parameters?.find(each => each.in === 'path' && each.name === name);
    return name === 'id' ? job : ((found?.example ?? found?.schema['example']) as string);
  });
}

/** What a call is sent with so that its query is looked at: a body of a type that it takes. */
function bodyOf({ operation }: Call): RequestInit {
  const [type, media] = Object.entries(operation.requestBody?.content ?? {})[0] ?? [];
  if (type === undefined) return {};
  const { example, schema } = media as MediaType;
  const sent: unknown = example ?? resolved<Schema>(schema)['example'];
  return { headers: { 'content-type': type }, body: type.endsWith('json') ? JSON.stringify(sent ?? 0) : 'x' };
}

function queryOf({ operation }: Call): readonly Parameter[] {
  return (operation.parameters ?? []).filter(each => each.in === 'query');
}

/** The query that a call cannot do without; what else is added follows it. */
function neededBy(call: Call): string {
  const needed = queryOf(call).filter(({ required }) => required === true);
  return `?${needed.map(({ name, example, schema }) => `${name}=${String(example ?? schema['example'])}&`).join('')}`;
}

interface Refusal {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  readonly near?: string;
}

async function ask(call: Call, query: string): Promise<Refusal> {
  const { method } = call;
  const response = await server.fetch(`${pathOf(call)}${query}`, { method, ...bodyOf(call) });
  const text = await response.text();
  const isProblem = response.headers.get('content-type')?.startsWith('application/problem+json');
  return { status: response.status, ...(isProblem && (JSON.parse(text) as object)) };
}

t.test('a parameter that a call does not know is refused, with those that it knows', async t => {
  t.ok(CALLS.length > 25);
  for (const call of CALLS) {
    const { status, code, detail = '' } = await ask(call, `${neededBy(call)}nonsense=1`);
    t.strictSame([status, code], [400, 'bad_request'], `${call.call}: ${detail}`);
    t.match(detail, 'There is no query parameter nonsense', call.call);
    const known = queryOf(call);
    if (known.length === 0) t.match(detail, /none is taken|there is only format/, call.call);
    for (const { name } of known) t.match(detail, name, call.call);
  }
});

t.test('a parameter that is given twice is refused', async t => {
  for (const call of CALLS) {
    for (const { name } of queryOf(call)) {
      const { status, detail } = await ask(call, `?${name}=1&${name}=1`);
      t.equal(status, 400, `${call.call} ${name}`);
      t.match(detail, `Query parameter ${name} is given 2 times`, call.call);
    }
  }
});

/** Parameters that are texts in the document, since they may be lists or left blank, and take whole numbers. */
const WHOLE = ['axis', 'bins', 'start', 'stop', 'step'];
/** As they stand in a URL: `+5` and ` 5` among them. */
const NOT_DECIMAL = ['0x10', '0b1', '1e2', '5.0', '5.', '%2B5', '1_0', '5n', '%D9%A1', '%EF%BC%95', 'Infinity', '--5'];

t.test('a number of a query is decimal digits and nothing else', async t => {
  let count = 0;
  for (const call of CALLS) {
    for (const { name, schema } of queryOf(call)) {
      const isNumber = schema['type'] === 'integer' || schema['type'] === 'number';
      if (!isNumber && !WHOLE.includes(name)) continue;
      count++;
      const isWhole = schema['type'] !== 'number';
      for (const value of [...NOT_DECIMAL, ...(isNumber ? ['+5', '%205', '5%20'] : [])]) {
        if (value === '5.0' && !isWhole) continue;
        const rest = name === 'bins' || !call.url.includes('/statistics') ? '' : '&ops=mean';
        const { status, detail = '' } = await ask(call, `?${name}=${value}${rest}`);
        // It may be a name there.
        t.equal(status, name === 'axis' ? 422 : 400, `${call.call} ${name}=${value}`);
        const shown = JSON.stringify(decodeURIComponent(value.replace('+', ' ')));
        t.ok(detail.includes(`${name} is ${shown}`) || detail.includes(`${name} has ${shown}`), detail);
      }
    }
  }
  t.ok(count >= 14);
  t.match(await (await server.fetch('/v1/jobs?limit=0x10')).json(), {
    detail: 'Query parameter limit is "0x10"; it takes an integer from 1 to 1000. Write it in decimal digits alone.',
  });
});

const LARGE = '12345678901234567891';

t.test('a number that is too large is shown with the digits that it came with', async t => {
  const weather = '/v1/datasets/seattle-weather';
  for (const [where, says] of [
    ['/v1/datasets?limit=', `limit is ${LARGE}`],
    ['/v1/jobs?limit=-', `limit is -${LARGE}`],
    [`${weather}/data?slice=`, `Index ${LARGE} is`],
    [`${weather}/data?slice=-`, `Index -${LARGE} is`],
    [`${weather}/rows/`, `Index ${LARGE} is`],
    [`${weather}/rows/-`, `Index -${LARGE} is`],
    [`${weather}/statistics?ops=mean&slice=`, `Index ${LARGE} is`],
    [`${weather}/statistics?ops=mean&axis=`, `Axis ${LARGE} does`],
    [`${weather}/statistics?bins=`, LARGE],
  ] as const) {
    const response = await server.fetch(`${where}${LARGE}`);
    const { detail = '', index } = (await response.json()) as { detail?: string; index?: unknown };
    t.ok([400, 422].includes(response.status), where);
    t.ok(detail.includes(says), detail);
    if (says.startsWith('Index')) t.equal(index, says.split(' ')[1], where);
  }
  t.match(await (await server.fetch(`${weather}/rows/9007199254740990`)).json(), { index: 9007199254740990 });
});

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** Each path once, with what it takes. */
const PATHS = new Map(CALLS.map(call => [call.url, { call, methods: new Set<string>() }]));
for (const { url, method } of CALLS)
  for (const each of method === 'GET' ? ['GET', 'HEAD'] : [method]) PATHS.get(url)!.methods.add(each);

t.test('a path says which methods it takes', async t => {
  for (const { call, methods } of PATHS.values()) {
    const allow = [...methods].sort();
    for (const method of METHODS.filter(each => !methods.has(each))) {
      const response = await server.fetch(pathOf(call), { method });
      t.equal(response.status, 405, `${method} ${call.url}`);
      t.equal(response.headers.get('allow'), allow.join(', '), `${method} ${call.url}`);
      if (method !== 'HEAD') t.match(await response.json(), { code: 'method_not_allowed', allowed: allow });
    }
  }
  const docs = await server.fetch('/docs/', { method: 'PUT' });
  t.equal(docs.headers.get('allow'), 'GET, HEAD', 'paths of the pages, too');
});

/** What no two answers share. */
const EACH_ITS_OWN = ['date', 'x-request-id', 'x-cache', 'connection', 'keep-alive', 'transfer-encoding'];

t.test('HEAD answers as GET does, without the body', async t => {
  for (const call of CALLS.filter(({ method }) => method === 'GET')) {
    const path = `${pathOf(call)}${neededBy(call)}${call.url.includes('/statistics') ? 'ops=mean' : ''}`;
    const [got, head] = [await server.fetch(path), await server.fetch(path, { method: 'HEAD' })];
    // Times and counts are told in as many digits as they have; and what is coded is not coded for its length alone.
    const isCoded = got.headers.has('content-encoding');
    const varies = isCoded || /statistics$|metrics$|^\/v1\/jobs/.test(call.url) ? ['content-length'] : [];
    const fields = ({ headers }: Response): object =>
      Object.fromEntries([...headers].filter(([name]) => ![...EACH_ITS_OWN, ...varies].includes(name)));
    t.equal(got.status, 200, call.call);
    t.equal(head.status, 200, call.call);
    t.strictSame(fields(head), fields(got), call.call);
    // A stream of events has no end.
    if (got.headers.get('content-type')?.startsWith('text/event-stream')) await got.body?.cancel();
    else await got.arrayBuffer();
    t.equal((await head.arrayBuffer()).byteLength, 0);
  }
});

t.test('a path beside one of the API is told which one', async t => {
  for (const { call } of PATHS.values()) {
    const path = pathOf(call);
    if (path === '/') continue;
    const words = call.url.split('/').map(word => (word.startsWith('{') ? word : word.toUpperCase()));
    const upper = pathOf({ ...call, url: words.join('/') });
    for (const beside of [`${path}/`, `/${path}`, upper, path.replace(/[sz]/, ''), path.replace('/v1/', '/')]) {
      if (beside === path) continue;
      const response = await server.fetch(`${beside}?slice=0`);
      t.equal(response.status, 404, beside);
      const { near, detail = '', ...problem } = (await response.json()) as Refusal;
      t.match(problem, { code: 'not_found' }, beside);
      t.equal(near, path, beside);
      t.ok(detail.includes(`Did you mean ${path}?`), detail);
    }
  }
  for (const far of ['/nothing/of/ours', `/v1/${'x'.repeat(5000)}`, '//', '/v2/datasets/x/y/z']) {
    const { near, ...problem } = (await (await server.fetch(far)).json()) as Refusal;
    t.match(problem, { code: 'not_found' }, far);
    if (far !== '//') t.equal(near, undefined, far);
  }
});

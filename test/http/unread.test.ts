/**
 * What Node's parser and Fastify's router refuse before a route sees it: each is a problem document with the headers
 * that all answers have, and says what came and what is taken.
 */
import { once } from 'node:events';
import net from 'node:net';
import t from 'tap';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { startHere } from '../helpers/service-here.js';
import { json } from '../system/calls.js';

const service = await startHere(t, { env: { HYPERSLAB_STALL_SECONDS: '1' } });

/** All bytes that come back on a connection of its own, until it is closed. `then` is sent when the first of them come. */
async function sent(bytes: string, then = ''): Promise<string> {
  const { hostname, port } = new URL(service.url);
  const socket = net.connect(Number(port), hostname);
  let answer = '';
  socket.on('data', (chunk: Buffer) => (answer += chunk.toString('latin1')));
  socket.once('data', () => socket.write(then));
  socket.on('error', () => {});
  socket.setTimeout(10_000, () => socket.destroy());
  socket.write(Buffer.from(bytes, 'latin1'));
  await once(socket, 'close');
  return answer;
}

interface Read {
  readonly status: number;
  readonly headers: Headers;
  readonly body: string;
}

function read(answer: string): Read {
  const [head = '', body = ''] = answer.split(/\r\n\r\n(.*)/s);
  const [line = '', ...fields] = head.split('\r\n');
  const pairs = fields.map(field => field.split(/: (.*)/).slice(0, 2) as [string, string]);
  return { status: Number(line.split(' ')[1]), headers: new Headers(pairs), body };
}

const HOST = 'host: localhost\r\n';
const CLOSE = `${HOST}connection: close\r\n`;
const POST = `POST /v1/datasets HTTP/1.1\r\n${CLOSE}content-type: application/json\r\n`;

const ROWS: readonly (readonly [title: string, bytes: string, status: number, code: ErrorCode, says: RegExp])[] = [
  ['no HTTP', 'hello\r\n\r\n', 400, 'bad_request', /no method: "hello".*GET \/healthz/],
  ['an unknown method', `FOO / HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_request', /"FOO \/ HTTP\/1\.1"/],
  ['a version of the future', `GET / HTTP/3.7\r\n${HOST}\r\n`, 400, 'bad_request', /"GET \/ HTTP\/3\.7".*HTTP\/1\.1/],
  ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400, 'bad_request', /HTTP\/2.*--http1\.1/],
  ['TLS', '\x16\x03\x01\x02\x00\x01', 400, 'bad_request', /TLS.*http:\/\//],
  ['a blank in a URL', `GET /a b HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_request', /"GET \/a b HTTP\/1\.1".*%20/],
  ['letters in a URL', `GET /\xc3\xa9 HTTP/1.1\r\n${HOST}\r\n`, 400, 'bad_request', /percent-encoded: "GET \//],
  ['a header without a colon', `GET / HTTP/1.1\r\n${HOST}broken\r\n\r\n`, 400, 'bad_request', /: "broken"/],
  [
    'a blank before a colon',
    `GET / HTTP/1.1\r\n${HOST}x : y\r\n\r\n`,
    400,
    'bad_request',
    /: "x "\. There is no blank/,
  ],
  ['a header on two lines', `GET / HTTP/1.1\r\n${HOST}x: y\r\n z\r\n\r\n`, 400, 'bad_request', /: " z"/],
  [
    'a head too large',
    `GET / HTTP/1.1\r\n${HOST}x: ${'y'.repeat(20_000)}\r\n\r\n`,
    431,
    'head_too_large',
    /16384 bytes/,
  ],
  ['a URL too long', `GET /?${'y'.repeat(20_000)} HTTP/1.1\r\n`, 431, 'head_too_large', /16384 bytes.*POST/],
  ['a length of letters', `${POST}content-length: abc\r\n\r\n`, 400, 'bad_request', /"content-length: abc"/],
  ['a length below zero', `${POST}content-length: -1\r\n\r\n`, 400, 'bad_request', /"content-length: -1"/],
  ['two lengths', `${POST}content-length: 1\r\ncontent-length: 2\r\n\r\n`, 400, 'bad_request', /comes twice/],
  [
    'a length and chunks',
    `${POST}content-length: 1\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n`,
    400,
    'bad_request',
    /"transfer-encoding: chunked".*not both/,
  ],
  ['an unknown coding', `${POST}transfer-encoding: gzip\r\n\r\n`, 400, 'bad_request', /Transfer-Encoding/],
  [
    'a coding below chunks',
    `${POST}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`,
    400,
    'bad_request',
    /"gzip, chunked"/,
  ],
  ['a chunk without a size', `${POST}transfer-encoding: chunked\r\n\r\nzz\r\n\r\n`, 400, 'bad_request', /size: "zz"/],
  [
    'parameters of chunks',
    `${POST}transfer-encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
    413,
    'too_large',
    /16384 bytes/,
  ],
  ['half a head', `GET /healthz HTTP/1.1\r\n${HOST}x-more: `, 408, 'too_slow', /in 1 seconds/],
  ['no host', 'GET /healthz HTTP/1.1\r\n\r\n', 400, 'bad_request', /no Host header/],
  [
    'two hosts',
    `GET /healthz HTTP/1.1\r\n${HOST}Host: other\r\n\r\n`,
    400,
    'bad_request',
    /2 Host.*"localhost" and "other"/,
  ],
  ['one host twice', `GET /nowhere HTTP/1.1\r\n${HOST}${HOST}\r\n`, 400, 'bad_request', /2 Host headers/],
  ['a list of hosts', 'GET /healthz HTTP/1.1\r\nhost: a, b\r\n\r\n', 400, 'bad_request', /"a, b"/],
  [
    'an expectation',
    `${POST}expect: tea\r\ncontent-length: 2\r\n\r\n{}`,
    417,
    'expectation_failed',
    /"tea".*100-continue/,
  ],
  ['a proxy', `CONNECT example.org:443 HTTP/1.1\r\n${HOST}\r\n`, 405, 'method_not_allowed', /"example\.org:443"/],
  ['half a character', `GET /v1/datasets/%zz HTTP/1.1\r\n${CLOSE}\r\n`, 400, 'bad_request', /%zz.*%25/],
  ['no UTF-8', `HEAD /%ff HTTP/1.1\r\n${CLOSE}\r\n`, 400, 'bad_request', /^$/],
  ['a name without end', `GET /v1/datasets/${'a'.repeat(300)} HTTP/1.1\r\n${CLOSE}\r\n`, 400, 'bad_request', /256/],
];

const EDGE = ['x-content-type-options', 'content-security-policy', 'cross-origin-resource-policy'];

t.test('what cannot be read is a problem that says why, with the headers of every answer', async t => {
  const usual = await service.fetch('/v1/datasets');
  for (const [title, bytes, status, code, says] of ROWS) {
    // oxlint-disable-next-line no-await-in-loop
    const { headers, body, ...found } = read(await sent(bytes));
    t.equal(found.status, status, title);
    t.equal(headers.get('content-type'), 'application/problem+json; charset=utf-8', title);
    t.equal(headers.get('connection'), 'close', title);
    for (const name of EDGE) t.equal(headers.get(name), usual.headers.get(name), `${title}: ${name}`);
    t.notMatch(body, /node_modules|node:|\.js|\\n/, title);
    if (bytes.startsWith('HEAD')) {
      t.equal(body, '');
      continue;
    }
    const { detail, ...problem } = JSON.parse(body) as { detail: string };
    t.match(problem, { status, code, title: ERRORS[code].title, type: `urn:hyperslab:problem:${code}` }, title);
    t.match(detail, says, title);
    t.match(detail, /^[A-Z'].*\.$/s, title);
  }
});

t.test('the value of a header is not repeated', async t => {
  const answer = await sent(`GET / HTTP/1.1\r\n${HOST}authorization: Bearer secret\x01\r\n\r\n`);
  t.match(answer, /"detail":"[^"]*: \\"authorization\\"/);
  t.notMatch(answer, /secret/);
});

t.test('HTTP/1.0 needs no host', async t => {
  t.equal(read(await sent('GET /healthz HTTP/1.0\r\n\r\n')).status, 200);
});

t.test('what comes twice and may not is not taken for one of the two', async t => {
  const twice = (name: string, ...values: string[]): string => values.map(value => `${name}: ${value}\r\n`).join('');
  const types = twice('content-type', 'application/json', 'text/plain');
  const answer = await sent(`POST /v1/datasets HTTP/1.1\r\n${CLOSE}${types}content-length: 2\r\n\r\n{}`);
  t.match(answer, /^HTTP\/1.1 415 [\s\S]*application\/json, text\/plain/);
});

t.test('an answer that is under way is cut, and gets no other one into its bytes', async t => {
  const body = { name: 'large', dtype: 'u1', shape: [64 * 1024 * 1024], sparse: true };
  t.equal((await service.fetch('/v1/datasets', json('POST', body))).status, 201);
  const answer = await sent(`GET /v1/datasets/large/data.raw HTTP/1.1\r\n${HOST}\r\n`, 'no HTTP at all\r\n\r\n');
  t.match(answer.slice(0, 20), /^HTTP\/1.1 200 OK/);
  t.equal(answer.lastIndexOf('HTTP/1.1 '), 0);
});

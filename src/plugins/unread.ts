/**
 * Requests that Node answers or drops before Fastify sees them: what its parser cannot read, Expect, CONNECT, and Host.
 * They are told as all others are, by a problem document with the same headers. Hazard: what is shown of a request is
 * one line of it, and of a header, whose value may be a secret, its name alone.
 */
import http, { STATUS_CODES, type IncomingMessage, type ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';
import type { ConnectionError, FastifyInstance } from 'fastify';
import { fail, HyperslabError } from '../errors.js';
import { LIMITS } from '../limits.js';
import { listed, shown } from '../shown.js';
import type { EdgeHeaders } from './edge.js';
import { countProblem, PROBLEM_TYPE, problemOf } from './errors.js';

/** For Node's server: the headers are judged here, and what came twice is joined by a comma, which shows that it did. */
export const HEAD_OPTIONS = { requireHostHeader: false, joinDuplicateHeaders: true } as const;

/** What of the line with the fault may be repeated. */
type Shows = 'line' | 'name' | 'nothing';

/** Fault of the parser → what is wrong, and what to do about it. */
const FAULTS: Readonly<Record<string, readonly [wrong: string, remedy: string, shows?: Shows]>> = {
  HPE_INVALID_METHOD: ['It begins with no method', 'Begin as in: GET /healthz HTTP/1.1', 'line'],
  HPE_INVALID_URL: ['Its URL has a character that must be percent-encoded', 'Write é as %C3%A9', 'line'],
  HPE_INVALID_CONSTANT: ['No HTTP version follows its URL', 'A blank in a URL is %20', 'line'],
  HPE_INVALID_VERSION: [
    'Its version is none that is spoken here',
    'End the request line in HTTP/1.1, CR and LF',
    'line',
  ],
  HPE_PAUSED_H2_UPGRADE: ['It is HTTP/2, which is not spoken here', 'Use HTTP/1.1 (curl --http1.1)', 'nothing'],
  HPE_INVALID_HEADER_TOKEN: [
    'A header is no name, colon and visible value on one line',
    'There is no blank before the colon, and no line begins with one',
    'name',
  ],
  HPE_INVALID_CONTENT_LENGTH: ['Its Content-Length is no number of bytes', 'Send decimal digits alone', 'line'],
  HPE_UNEXPECTED_CONTENT_LENGTH: [
    'Its Content-Length comes twice, or beside Transfer-Encoding',
    'Send one of them once',
    'line',
  ],
  HPE_INVALID_TRANSFER_ENCODING: [
    'Its Transfer-Encoding does not end in chunked, or comes beside Content-Length',
    'Send Content-Length, or Transfer-Encoding: chunked, not both',
    'line',
  ],
  HPE_INVALID_CHUNK_SIZE: [
    'A chunk of its body begins with no hexadecimal size',
    'Send the size, CR, LF, so many bytes, CR and LF',
    'line',
  ],
  HPE_INVALID_EOF_STATE: ['The connection ended in the middle of it', 'Send all of it before the end'],
};

/** Bytes that parameters of chunks may have together; the limit is Node's. */
const CHUNK_EXTENSION_BYTES_MAX = 16 * 1024;

/** @param headSeconds how long a head may take */
export function clientErrorHandler(
  headers: EdgeHeaders,
  headSeconds: number,
): (error: ConnectionError, socket: Socket) => void {
  return (error, socket) => {
    // A peer that reset the connection has nothing to read, and one that is being answered would take this for the rest.
    if (error.code === 'ECONNRESET' || !socket.writable || hasBegun(socket)) socket.destroy();
    else endWithProblem(socket, faultOf(error, headSeconds), headers);
  };
}

/** What Node would answer without a body, or not at all. */
export function registerUnread(app: FastifyInstance, headers: EdgeHeaders): void {
  app.addHook('onRequest', ({ raw }, reply, done) => {
    const { host, 'transfer-encoding': coding } = raw.headers;
    const isHost = host === undefined ? raw.httpVersion !== '1.1' : !host.includes(',');
    if (isHost && (coding === undefined || coding.toLowerCase() === 'chunked')) return done();
    reply.header('connection', 'close');
    if (!isHost) failHost(raw);
    return fail('bad_request', `Transfer-Encoding is ${shown(coding)}; it takes chunked alone. Send the body plain.`);
  });
  app.server.on('checkExpectation', ({ headers: { expect } }: IncomingMessage, response: ServerResponse) => {
    const detail = `Expect is ${shown(expect)}; it takes 100-continue. Leave the header out.`;
    const { status, body, fields } = written(new HyperslabError('expectation_failed', detail), headers);
    response.writeHead(status, fields).end(body);
  });
  app.server.on('connect', ({ url }: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    const detail = `CONNECT ${shown(url)} asks for a proxy, which this is not. Send the request to its own host.`;
    const allowed = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
    const refusal = new HyperslabError('method_not_allowed', detail, { allowed });
    endWithProblem(socket, refusal, { ...headers, allow: allowed.join(', ') });
  });
}

function failHost({ rawHeaders }: IncomingMessage): never {
  const hosts = rawHeaders.filter((_, i) => i % 2 === 1 && rawHeaders[i - 1]!.toLowerCase() === 'host');
  const came =
    hosts.length === 0
      ? 'The request has no Host header, which HTTP/1.1 asks for'
      : hosts.length === 1
        ? `The Host header is ${shown(hosts[0])}, which is not one host`
        : `The request has ${hosts.length} Host headers, ${listed(hosts.slice(0, 3).map(shown), 'and')}`;
  return fail('bad_request', `${came}. Send one, such as Host: localhost:8080.`, { hosts: hosts.length });
}

function faultOf({ code, rawPacket, bytesParsed }: ConnectionError, headSeconds: number): HyperslabError {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') {
    const detail = `No whole request head came in ${headSeconds} seconds. Send it at once, on a new connection.`;
    return new HyperslabError('too_slow', detail, { seconds: headSeconds });
  }
  if (code === 'HPE_HEADER_OVERFLOW') {
    const limit = http.maxHeaderSize;
    const remedy = 'Send a query as the body of a POST, and fewer or shorter headers.';
    const detail = `The request line and headers have more than ${limit} bytes. ${remedy}`;
    return new HyperslabError('head_too_large', detail, { limit });
  }
  if (code === 'HPE_CHUNK_EXTENSIONS_OVERFLOW') {
    const limit = CHUNK_EXTENSION_BYTES_MAX;
    const detail = `The parameters of its chunks have more than ${limit} bytes. Send chunks without any.`;
    return new HyperslabError('too_large', detail, { limit });
  }
  // Typed as what JSON makes of it; it is a Buffer.
  const packet = (rawPacket as unknown as Buffer | undefined) ?? Buffer.alloc(0);
  if (packet[0] === 0x16 && packet[1] === 3) {
    const detail = 'The bytes are a TLS handshake, and plain HTTP is spoken here. Begin the URL with http:// instead.';
    return new HyperslabError('bad_request', detail, { reason: code });
  }
  const [wrong, remedy, shows = 'nothing'] = FAULTS[code] ?? ['It is no HTTP/1.1', 'Send it with an HTTP client'];
  const line = shows === 'nothing' ? '' : lineAt(packet, bytesParsed, shows);
  const detail = `The request cannot be read. ${wrong}${line === '' ? '' : `: ${shown(line)}`}. ${remedy}.`;
  return new HyperslabError('bad_request', detail, { reason: code });
}

/** The line of what came last that holds a byte. */
function lineAt(packet: Buffer, at: number, shows: Shows): string {
  const text = packet.toString('latin1');
  const line = text.slice(text.lastIndexOf('\n', at - 1) + 1).split(/\r?\n/, 1)[0]!;
  return shows === 'name' ? line.split(':', 1)[0]! : line;
}

/** Node's own name of the answer that a connection is sending, which has no public one. */
const ANSWER = '_httpMessage';

function hasBegun(socket: Socket): boolean {
  return (socket as { [ANSWER]?: ServerResponse | null })[ANSWER]?.headersSent === true;
}

interface Written {
  readonly status: number;
  readonly fields: Readonly<Record<string, string | number>>;
  readonly body: string;
}

function written(error: HyperslabError, headers: EdgeHeaders): Written {
  const problem = problemOf(error);
  countProblem(problem);
  const body = JSON.stringify(problem);
  const length = Buffer.byteLength(body);
  const fields = {
    ...headers,
    'content-type': `${PROBLEM_TYPE}; charset=utf-8`,
    'content-length': length,
    connection: 'close',
  };
  return { status: problem.status, fields, body };
}

function endWithProblem(socket: Duplex, error: HyperslabError, headers: EdgeHeaders): void {
  const { status, fields, body } = written(error, headers);
  const lines = Object.entries(fields).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('')}\r\n${body}`);
  // Whoever does not end its side is not waited for; at once, and a client that still sends could not read the answer.
  setTimeout(() => socket.destroy(), LIMITS.drainMsMax).unref();
}

/**
 * The least that Fastify can do for the same answer: one route, a buffer made beforehand, no logging of requests.
 * Usage: bare-fastify.js HEADERS.json BODY PORT
 */
import fs from 'node:fs';
import fastify, { LogController } from 'fastify';

const [headersFile, bodyFile, port] = process.argv.slice(2) as [string, string, string];
const headers = JSON.parse(fs.readFileSync(headersFile, 'utf8')) as Record<string, string>;
const body = fs.readFileSync(bodyFile);

const app = fastify({
  logger: { level: 'info' },
  logController: new LogController({ disableRequestLogging: true }),
});
app.get('/row', (_request, reply) => reply.headers(headers).send(body));
await app.listen({ host: '127.0.0.1', port: Number(port) });

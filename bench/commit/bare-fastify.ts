/**
 * The least that keeps a write: one Fastify route, a positional write, an fdatasync per request, then the answer. A
 * crash in the middle leaves half a block, which ours never does. Usage: bare-fastify.js FILE PORT
 */
import fs from 'node:fs/promises';
import fastify, { LogController } from 'fastify';

const [fileName, port] = process.argv.slice(2) as [string, string];
const file = await fs.open(fileName, 'r+');

const app = fastify({
  logger: { level: 'info' },
  logController: new LogController({ disableRequestLogging: true }),
});
app.addContentTypeParser('application/octet-stream', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
app.put<{ Querystring: { slice: string }; Body: Buffer }>('/data', async ({ query, body }) => {
  await file.write(body, 0, body.byteLength, Number(query.slice) * body.byteLength);
  await file.datasync();
  return { elements: body.byteLength / 4, bytes: body.byteLength };
});
await app.listen({ host: '127.0.0.1', port: Number(port) });

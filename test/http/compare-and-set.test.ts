import fs from 'node:fs';
import http from 'node:http';
import t from 'tap';
import { caseCount } from '../helpers/cases.js';
import { startServer } from '../helpers/server.js';

const CLIENTS = 16;
const INCREMENTS = caseCount(50, 1000);

interface Answer {
  readonly status: number;
  readonly etag: string | undefined;
  readonly text: string;
}

function send(
  agent: http.Agent,
  method: string,
  url: string,
  headers: http.OutgoingHttpHeaders = {},
  body = '',
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const sent = http.request(url, { agent, method, headers }, response => {
      let text = '';
      response.setEncoding('utf8').on('data', (part: string) => (text += part));
      response.on('end', () => resolve({ status: response.statusCode!, etag: response.headers.etag, text }));
      response.on('error', reject);
    });
    sent.on('error', reject).end(body);
  });
}

t.test(`sixteen clients that count with If-Match lose no increment of ${INCREMENTS}`, async t => {
  const server = await startServer();
  const agent = new http.Agent({ keepAlive: true });
  t.teardown(async () => {
    agent.destroy();
    await server.stop();
    fs.rmSync(server.dataDir, { recursive: true });
  });
  const JSON_TYPE = { 'content-type': 'application/json' };
  const array = JSON.stringify({ name: 'counter', dtype: '<i8', shape: [4] });
  t.equal((await send(agent, 'POST', `${server.url}/v1/datasets`, JSON_TYPE, array)).status, 201);
  const url = `${server.url}/v1/datasets/counter`;
  const read = async (): Promise<{ value: number; etag: string }> => {
    const { text, etag } = await send(agent, 'GET', `${url}/rows/2`);
    return { value: (JSON.parse(text) as { data: number }).data, etag: etag! };
  };
  let increments = 0;
  let refused = 0;
  const clients = Array.from({ length: CLIENTS }, async () => {
    while (increments < INCREMENTS) {
      // oxlint-disable-next-line no-await-in-loop
      const { value, etag } = await read();
      const headers = { ...JSON_TYPE, 'if-match': etag };
      // oxlint-disable-next-line no-await-in-loop
      const { status, text } = await send(agent, 'PUT', `${url}/data?slice=2`, headers, String(value + 1));
      if (status === 200) increments++;
      else if (status === 412) refused++;
      else t.fail(`${status} ${text}`);
    }
  });
  await Promise.all(clients);
  t.equal((await read()).value, increments);
  t.ok(increments >= INCREMENTS && refused > 0, `${increments} increments, ${refused} refused`);
});

import fs from 'node:fs';
import http from 'node:http';
import t from 'tap';
import { startServer } from '../helpers/server.js';

/** One request on a connection of the agent; resolves with the status when the body is read. */
function request(agent: http.Agent, url: string, body?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const sent = http.request(
      url,
      {
        agent,
        method: body === undefined ? 'GET' : 'POST',
        ...(body !== undefined && { headers: { 'content-type': 'application/json' } }),
      },
      answer => answer.resume().once('end', () => resolve(answer.statusCode!)),
    );
    sent.once('error', reject).end(body);
  });
}

t.test('a kept connection gathers nothing however many statistics are asked on it', async t => {
  const server = await startServer({ env: { HYPERSLAB_DEMO: 'auto' } });
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
  t.teardown(async () => {
    agent.destroy();
    await server.stop();
    fs.rmSync(server.dataDir, { recursive: true });
  });
  const batch = JSON.stringify({ queries: [{ dataset: 'flights-delay', ops: ['mean'] }] });
  for (let i = 0; i < 15; i++) {
    t.equal(await request(agent, `${server.url}/v1/datasets/flights-delay/statistics?ops=mean`), 200);
    t.equal(await request(agent, `${server.url}/v1/statistics`, batch), 200);
    t.equal(await request(agent, `${server.url}/v1/datasets/flights-delay/data?format=raw`), 200);
  }
  t.notMatch(server.log.join('\n'), /MaxListenersExceededWarning/);
});

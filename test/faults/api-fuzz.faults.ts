/**
 * schemathesis makes calls from the API document of a running service, right ones and wrong ones, and compares every
 * answer with what the document says: status, media type, headers, schema. Only 503 and 507 are faults it may see.
 */
import fs from 'node:fs';
import path from 'node:path';
import { spawn } from 'node:child_process';
import t from 'tap';
import { PACKAGE_ROOT } from '../../src/package-root.js';
import { PYTHON } from '../helpers/python.js';
import { startServer, temporaryFolder } from '../helpers/server.js';
import { create, json } from '../system/calls.js';
import { figure, rounds } from './harness.js';

const SECONDS = rounds(60, 600);
const SEED = 20_261_121;
const PROGRAM = PYTHON && path.join(path.dirname(PYTHON), 'schemathesis');
const HOOKS = path.join(PACKAGE_ROOT, 'test', 'faults', 'api_hooks.py');
const CHECKS = ['not_a_server_error', 'status_code_conformance', 'content_type_conformance', 'response_headers_conformance', 'response_schema_conformance',]; // prettier-ignore
const SETTINGS = '[checks]\nnot_a_server_error.expected-statuses = ["2xx", "3xx", "4xx", "503", "507"]\n';

const skip = PROGRAM !== undefined && fs.existsSync(PROGRAM) ? false : 'schemathesis is not beside the Python in use';

t.test('every answer is one that the API document promises', { skip, timeout: (SECONDS + 120) * 1000 }, async t => {
  const server = await startServer();
  const folder = temporaryFolder();
  t.teardown(async () => {
    await server.stop();
    fs.rmSync(server.dataDir, { recursive: true });
    fs.rmSync(folder, { recursive: true });
  });
  // Kept by name: the calls that forget datasets come to others, or the rest would meet nothing.
  await create(server, { name: 'plane', dtype: '<f4', shape: [5, 3], fill: 1 });
  await create(server, { name: 'line', dtype: '>i2', shape: [7] });
  await create(server, { name: 'scalar', dtype: 'bool', shape: [] });
  await create(server, { name: 'hollow', dtype: 'u8', shape: [0, 3] });
  await create(server, { name: 'read-only', dtype: 'f2', shape: [4], attrs: { unit: 'm' }, dims: ['x'] });
  await server.fetch('/v1/datasets/read-only', json('PATCH', { mode: 'r' }));
  fs.writeFileSync(path.join(folder, 'schemathesis.toml'), SETTINGS);

  const args = ['--config-file', 'schemathesis.toml', 'run', `${server.url}/openapi.json`, '--max-time', String(SECONDS), '--seed', String(SEED), '--checks', CHECKS.join(','), '--continue-on-failure', '--suppress-health-check', 'all', '--generation-database', 'none', '--no-color', '--max-examples', String(rounds(40, 400))]; // prettier-ignore
  const child = spawn(PROGRAM!, args, { cwd: folder, env: { ...process.env, SCHEMATHESIS_HOOKS: HOOKS } });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (said += chunk.toString()));
  const status = await new Promise<number | null>(resolve => child.once('close', resolve));

  t.equal(status, 0, said);
  const cases = Number(/(\d+) generated/.exec(said)?.[1] ?? 0);
  t.ok(cases > SECONDS, `${cases} calls were made`);
  figure(t, 'API fuzz: calls as documented', cases);
  t.equal((await server.fetch('/healthz')).status, 200);
  t.equal(server.child.exitCode, null, 'the service is the one that was started');
});

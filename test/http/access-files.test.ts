/** The key file under a running service: changes count within seconds, and faults close. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { editKeys } from '../../src/access/edit-keys.js';
import { addKey, bearer } from '../helpers/keys.js';
import { start, temporaryFolder, type Service } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';

/** Asks until the status is the one wanted; changes of files are seen within seconds. */
async function becomes(server: Service, init: RequestInit, wanted: number): Promise<boolean> {
  for (let tries = 0; tries < 100; tries++) {
    if ((await server.fetch('/v1/datasets', init)).status === wanted) return true;
    await new Promise(resolve => setTimeout(resolve, 100));
  }
  return false;
}

t.test('keys are added and revoked while the service runs', async t => {
  const dataDir = temporaryFolder();
  const file = path.join(dataDir, 'keys.json');
  const server = await startHere(t, { dataDir });
  t.equal((await server.fetch('/v1/datasets')).status, 200, 'open without keys');
  const first = await addKey(dataDir, ['read']);
  t.ok(await becomes(server, {}, 401), 'closed by the first key');
  t.equal((await server.fetch('/v1/datasets', bearer(first))).status, 200);
  const second = await addKey(dataDir, ['read']);
  t.ok(await becomes(server, bearer(second), 200), 'the second key holds');
  await editKeys(file, keys => keys.slice(1));
  t.ok(await becomes(server, bearer(first), 401), 'the first is revoked');
  t.equal((await server.fetch('/v1/datasets', bearer(second))).status, 200, 'the second is not');
  await editKeys(file, () => []);
  t.ok(await becomes(server, bearer(second), 401));
  t.equal((await server.fetch('/v1/datasets')).status, 401, 'no key left does not mean open');
});

t.test('a key file that breaks or goes away lets nobody in', async t => {
  const dataDir = temporaryFolder();
  const file = path.join(dataDir, 'keys.json');
  const key = await addKey(dataDir, ['read']);
  const server = await start(t, { dataDir });
  const whole = fs.readFileSync(file);
  const breaks = {
    broken: () => fs.writeFileSync(file, whole.subarray(0, -9)),
    empty: () => fs.writeFileSync(file, ''),
    gone: () => fs.rmSync(file),
    'a folder': () => (fs.rmSync(file), fs.mkdirSync(file)),
  };
  for (const [how, breakIt] of Object.entries(breaks)) {
    breakIt();
    t.ok(await becomes(server, bearer(key), 401), how);
    t.equal((await server.fetch('/v1/datasets')).status, 401, `${how}: not open either`);
    fs.rmSync(file, { recursive: true, force: true });
    fs.writeFileSync(file, whole);
    t.ok(await becomes(server, bearer(key), 200), `${how}: mended`);
  }
  t.match(server.log.join('\n'), /no key holds until it is mended/);
});

/**
 * What the disk refuses is told as what it is: a path outside the folders, a file that the service's user may not open,
 * or the service's own data folder, which is a matter for whoever runs it.
 */
import fs from 'node:fs';
import path from 'node:path';
import t, { type Test } from 'tap';
import { npyHeader } from '../../src/formats/index.js';
import { parseDType } from '../../src/dtype/index.js';
import { noOtherUser, OTHER_USER } from '../helpers/other-user.js';
import { start, temporaryFolder, type TestServer } from '../helpers/server.js';
import { binary, json } from './calls.js';

const skip = noOtherUser;
const NPY = Buffer.concat([npyHeader({ dtype: parseDType('<i4'), shape: [4], order: 'C' }), Buffer.alloc(16, 1)]);

interface Problem {
  readonly status: number;
  readonly code?: string;
  readonly detail?: string;
  readonly reason?: string;
  readonly user?: number;
}

/** A service of another user, over a data folder and a root that are his. */
async function startAsOther(t: Test): Promise<{ server: TestServer; root: string }> {
  const dataDir = temporaryFolder();
  const root = temporaryFolder();
  for (const folder of [dataDir, root]) fs.chownSync(folder, OTHER_USER, OTHER_USER);
  t.teardown(() => fs.rmSync(root, { recursive: true, force: true }));
  return { server: await start(t, { dataDir, uid: OTHER_USER, env: { HYPERSLAB_ROOTS: root } }), root };
}

async function ask(server: TestServer, where: string, init?: RequestInit): Promise<Problem> {
  const response = await server.fetch(where, init);
  return { ...((await response.json().catch(() => ({}))) as object), status: response.status };
}

t.test(
  'a path outside the folders names the setting, and a file inside says whose right is missing',
  { skip },
  async t => {
    const { server, root } = await startAsOther(t);
    const put = (name: string, mode: number): string => {
      fs.writeFileSync(path.join(root, name), NPY);
      fs.chmodSync(path.join(root, name), mode);
      return name;
    };
    fs.mkdirSync(path.join(root, 'closed'), { mode: 0o700 });
    put('closed/inside.npy', 0o644);
    fs.symlinkSync('/etc/shadow', path.join(root, 'leads-out'));
    const register = (name: string, mode: string): Promise<Problem> =>
      ask(server, '/v1/datasets', json('POST', { name: name.replaceAll('/', '-'), path: name, mode }));

    for (const outside of ['/etc/shadow', 'leads-out', '../x.npy']) {
      const answer = await ask(server, '/v1/datasets', json('POST', { name: 'outside', path: outside }));
      t.match(answer, { status: 403, code: 'path_forbidden', detail: /HYPERSLAB_ROOTS/ }, outside);
    }

    const denied = {
      status: 403,
      code: 'file_denied',
      reason: 'EACCES',
      user: OTHER_USER,
      detail: /user 65534.*chmod/,
    };
    t.match(await register(put('unreadable.npy', 0o600), 'r'), denied);
    t.match(await register('closed/inside.npy', 'r'), denied);
    t.match(await register(put('readable.npy', 0o644), 'r+'), { ...denied, detail: /mode r/ });
    t.match(await register('readable.npy', 'r'), { status: 201 });
    fs.mkdirSync(path.join(root, 'theirs'), { mode: 0o755 });
    const made = { name: 'made', path: 'theirs/new.npy', mode: 'w+', dtype: '<i4', shape: [3] };
    t.match(await ask(server, '/v1/datasets', json('POST', made)), denied, 'a file that is to be made');
    for (const answer of [await register('unreadable.npy', 'r'), await register('closed/inside.npy', 'r')])
      t.notMatch(answer.detail, root, 'no path of the server');

    fs.chmodSync(path.join(root, 'readable.npy'), 0o600);
    fs.chownSync(path.join(root, 'readable.npy'), 0, 0);
    t.match(await ask(server, '/v1/datasets/readable.npy/data'), denied, 'a file that was taken away');
    t.match(await ask(server, '/v1/datasets/readable.npy'), { status: 200, state: 'denied' });
  },
);

t.test('the data folder is a matter for whoever runs the service', { skip }, async t => {
  const { server } = await startAsOther(t);
  const make = (name: string): Promise<Problem> =>
    ask(server, '/v1/datasets', json('POST', { name, dtype: '<i4', shape: [4] }));
  t.match(await make('here'), { status: 201 });
  t.match(await make('written'), { status: 201 });
  t.match(await ask(server, '/v1/datasets/written/data', json('PUT', 7)), { status: 200 });
  t.match(await ask(server, '/readyz'), { status: 200, data_folder: 'writable' });

  const rooms = ['arrays', 'catalog', 'journal'].map(room => path.join(server.dataDir, room));
  for (const room of rooms) fs.chownSync(room, 0, 0);
  const refused = {
    status: 503,
    code: 'data_folder_refused',
    reason: 'EACCES',
    detail: /data folder.*user 65534.*chown/,
  };
  const calls: [string, RequestInit][] = [
    ['/v1/datasets', json('POST', { name: 'new', dtype: '<i4', shape: [4] })],
    ['/v1/datasets/imported', binary('PUT', NPY, 'application/x-npy')],
    ['/v1/datasets/here?overwrite=true', binary('PUT', NPY, 'application/x-npy')],
    ['/v1/datasets/here/data', json('PUT', 7)],
    ['/v1/datasets/here', { ...json('PATCH', { attrs: { unit: 'm' } }) }],
    ['/v1/datasets/here', { method: 'DELETE' }],
    ['/v1/datasets/here?data=delete', { method: 'DELETE' }],
  ];
  for (const [where, init] of calls) {
    const answer = await ask(server, where, init);
    t.match(answer, refused, `${init.method} ${where}`);
    t.notMatch(answer.detail, server.dataDir);
  }
  t.match(await ask(server, '/v1/datasets/here/data'), { status: 200, data: [0, 0, 0, 0] }, 'reads go on');
  t.match(
    await ask(server, '/v1/datasets/written/data', json('PUT', 8)),
    { status: 200 },
    'so does a journal that is open',
  );
  t.match(await ask(server, '/readyz'), { status: 200, data_folder: 'EACCES' });
  t.match(server.log.join('\n'), /"level":50.*data_folder_refused/);

  for (const room of rooms) fs.chownSync(room, OTHER_USER, OTHER_USER);
  for (const [where, init] of calls.slice(0, 5)) {
    t.ok([200, 201].includes((await ask(server, where, init)).status), `${init.method} ${where}`);
  }
  t.match(await ask(server, '/v1/datasets/written/data'), { data: [8, 8, 8, 8] });
  t.match(await ask(server, '/readyz'), { data_folder: 'writable' });
});

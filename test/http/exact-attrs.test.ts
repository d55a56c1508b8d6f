/** Metadata keeps what it is given: integers all their digits, floats their value, on every way in and out. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { temporaryFolder } from '../helpers/server.js';
import { startServiceHere } from '../helpers/service-here.js';

const NUMBERS =
  '{"i64":9223372036854775807,"u64":18446744073709551615,"past":9007199254740993,"negative":-9223372036854775808,' +
  `"long":${'1234567890'.repeat(40)},"small":1,"zero":-0,"float":0.1,"half":1.5e-7,"large":1e+21,"text":"9007199254740993",` +
  '"list":[9007199254740993,[12345678901234567890]],"deep":{"a":{"b":99999999999999999999}}}';

t.test(
  'attrs are the same text when they are made, changed, described, listed, restarted and found in an old manifest',
  async t => {
    const dataDir = temporaryFolder();
    let server = await startServiceHere({ dataDir });
    t.teardown(async () => {
      await server.stop();
      fs.rmSync(dataDir, { recursive: true, force: true });
    });
    const send = async (method: string, where: string, body?: string): Promise<string> => {
      const headers = { 'content-type': 'application/json' };
      const answer = await server.fetch(`/v1/datasets${where}`, {
        method,
        headers,
        ...(body !== undefined && { body }),
      });
      t.ok(answer.ok, `${method} ${where}: ${answer.status}`);
      return answer.text();
    };
    const due = `"attrs":${NUMBERS}`;
    const has = (text: string, title: string): void => {
      // A text without them is shown whole.
      t.equal(text.includes(due) ? due : text, due, title);
    };
    const head = '"dtype":"f4","shape":[2]';
    has(await send('POST', '', `{"name":"made",${head},"attrs":${NUMBERS}}`), 'POST');
    await send('POST', '', `{"name":"patched",${head},"attrs":{"small":9007199254740993}}`);
    has(
      await send('PATCH', '/patched', `{"attrs":{"small":null}}`).then(() =>
        send('PATCH', '/patched', `{"attrs":${NUMBERS}}`),
      ),
      'PATCH',
    );
    has(await send('PATCH', '/patched', '{"attrs":{"deep":{"a":{"b":99999999999999999999}}}}'), 'PATCH of one of them');
    has(await send('PATCH', '/made', '{"external":false}'), 'PATCH of another member');
    has(await send('GET', '/made'), 'describe');
    t.equal((await send('GET', '?fields=name,attrs')).split(due).length, 3, 'list');
    const manifest = fs.readFileSync(path.join(dataDir, 'catalog', 'made.json'), 'utf8');
    t.match(manifest, /"past": 9007199254740993,\n/);
    await server.stop();
    // As an earlier version wrote it: what was lost is lost, and it loads.
    const old = manifest
      .replace('"name": "made"', '"name": "old"')
      .replaceAll(/"(id|file_id)": "\w+"/g, (_, key) => `"${key}": "00112233445566778899aabb"`);
    fs.writeFileSync(
      path.join(dataDir, 'catalog', 'old.json'),
      old.replace('9007199254740993,', '9007199254740992,').replace('arrays/made', 'arrays/old'),
    );
    fs.copyFileSync(path.join(dataDir, 'arrays', 'made.npy'), path.join(dataDir, 'arrays', 'old.npy'));
    server = await startServiceHere({ dataDir });
    has(await send('GET', '/made'), 'after a restart');
    has(await send('GET', '/patched'), 'after a restart, patched');
    t.match(await send('GET', '/old'), '"past":9007199254740992,');
  },
);

t.test('numbers that cannot be kept are refused, and fill has all its digits', async t => {
  const server = await startServiceHere();
  t.teardown(async () => {
    await server.stop();
    fs.rmSync(server.dataDir, { recursive: true, force: true });
  });
  const cases: [attrs: string, status: number, code: string][] = [
    ['{"a":1e999}', 400, 'bad_request'],
    ['{"a":[{"b":-1e999}]}', 400, 'bad_request'],
    [`{"a":${'9'.repeat(4301)}}`, 413, 'too_large'],
    [`{"a":${'9'.repeat(900_000)}}`, 413, 'too_large'],
    [`{"a":[${`${'9'.repeat(4000)},`.repeat(17)}1]}`, 413, 'too_large'],
  ];
  const make = (body: string): Promise<Response> =>
    server.fetch('/v1/datasets', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  for (const [attrs, status, code] of cases) {
    const answer = await make(`{"name":"m","dtype":"f4","shape":[2],"attrs":${attrs}}`);
    t.match([answer.status, await answer.json()], [status, { code }], attrs.slice(0, 40));
  }
  const kept = await make(`{"name":"m","dtype":"f4","shape":[2],"attrs":{"a":${'9'.repeat(4300)}}}`);
  t.equal(kept.status, 201);

  const fills: [dtype: string, fill: string, due: string | 422][] = [
    ['i8', '"9007199254740993"', '9007199254740993'],
    ['u8', '"18446744073709551615"', '18446744073709551615'],
    ['i8', '-9007199254740991', '-9007199254740991'],
    ['i8', '9007199254740993', '9007199254740993'],
    ['>u8', '18446744073709551615', '18446744073709551615'],
    ['i8', '9223372036854775808', 422],
    ['f4', '-0', '-0.0'],
    ['f8', '12345678901234567890', '1.2345678901234567e+19'],
  ];
  for (const [i, [dtype, fill, due]] of fills.entries()) {
    const body = `{"name":"f${i}","dtype":"${dtype}","shape":[1],"fill":${fill}}`;
    const made = await server.fetch('/v1/datasets', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
    });
    if (due === 422) t.match([made.status, await made.json()], [422, { code: 'would_lose' }], body);
    else t.match(await (await server.fetch(`/v1/datasets/f${i}/data`)).text(), `"data":[${due}]`, body);
  }
});

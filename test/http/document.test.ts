/** /openapi.json has an entity tag of its bytes: who has it already is told so, and HEAD answers as GET without a body. */
import t from 'tap';
import { rawRequest } from '../helpers/raw-request.js';
import { startHere } from '../helpers/service-here.js';

const WHERE = '/openapi.json';

t.test('the document by its entity tag', async t => {
  const server = await startHere(t);
  const first = await server.fetch(WHERE, { headers: { 'accept-encoding': 'identity' } });
  const text = await first.text();
  const tag = first.headers.get('etag')!;
  t.match(tag, /^"[\w-]{22}"$/);
  t.equal(first.headers.get('cache-control'), 'no-cache');
  for (const [condition, status] of [
    [undefined, 200],
    [tag, 304],
    [`W/${tag}`, 304],
    [`"a", ${tag}`, 304],
    ['*', 304],
    ['"a"', 200],
    [tag.slice(1, -1), 200],
  ] as const) {
    for (const method of ['GET', 'HEAD']) {
      const headers = condition === undefined ? {} : { 'if-none-match': condition };
      const answer = await rawRequest(`${server.url}${WHERE}`, { method, headers });
      const title = `${method}, If-None-Match: ${condition}`;
      t.equal(answer.status, status, title);
      t.equal(answer.headers.etag, tag, title);
      t.equal(answer.body, method === 'GET' && status === 200 ? text : '', title);
      if (status !== 200) continue;
      t.equal(answer.headers['content-type'], 'application/json; charset=utf-8', title);
      t.equal(answer.headers['content-length'], String(Buffer.byteLength(text)), title);
    }
  }
});

t.test('the tag is that of the bytes: two services have the same, and another prefix has another', async t => {
  const tags: (string | undefined)[] = [];
  for (const prefix of ['', '', '/a', '/b', '/a']) {
    const server = await startHere(t, { env: { HYPERSLAB_PREFIX: prefix } });
    tags.push((await rawRequest(`${server.url}${prefix}${WHERE}`)).headers.etag);
  }
  const [root, again, a, b, aAgain] = tags;
  t.equal(again, root);
  t.equal(aAgain, a);
  t.equal(new Set([root, a, b]).size, 3);
});

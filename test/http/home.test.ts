/** `/` and `/docs`: a page for people, links for programs, and nothing that somebody else wrote as markup. */
import t from 'tap';
import { PAGE_ROWS_MAX } from '../../routes/home-page.js';
import { addKey, bearer } from '../helpers/keys.js';
import { rawRequest } from '../helpers/raw-request.js';
import { start, temporaryFolder } from '../helpers/server.js';
import { startHere } from '../helpers/service-here.js';
import { create, json } from '../system/calls.js';

const LINKS = ['docs', 'openapi.json', 'metrics', 'v1/datasets'];
const HTML = 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8';

t.test('Accept decides between the page and its links', async t => {
  const server = await startHere(t);
  for (const [accept, type] of [
    [HTML, 'text/html; charset=utf-8'],
    ['text/html', 'text/html; charset=utf-8'],
    ['application/json;q=0.5, text/html', 'text/html; charset=utf-8'],
    ['*/*', 'application/json'],
    ['application/json, text/html;q=0.5', 'application/json'],
    ['application/*', 'application/json'],
    ['image/png', 'application/json'],
    ['', 'application/json'],
  ] as const) {
    const answer = await rawRequest(server.url, { headers: { accept } });
    t.equal(answer.status, 200);
    t.match(answer.headers['content-type'], type.split(';')[0], accept);
    t.match(answer.headers.vary, 'Accept');
    for (const link of LINKS) t.ok(answer.body.includes(`"${link}`), `${accept}: ${link}`);
    t.notMatch(answer.body, /(href|src)="(\/|https?:)/, 'links are relative');
  }
});

t.test('every link of the page leads somewhere, and the page runs nothing', async t => {
  const server = await start(t, { env: { HYPERSLAB_DEMO: 'auto' } });
  const page = await server.fetch('/', { headers: { accept: HTML } });
  const text = await page.text();
  const links = [...text.matchAll(/href="([^"]+)"/g)].map(match => match[1]!);
  t.ok(links.includes('v1/datasets/seattle-weather'));
  for (const link of links) t.equal((await server.fetch(`/${link}`)).status, 200, link);
  t.notMatch(text, /<script|javascript:| on[a-z]+=/i);
  t.match(text, /seattle-weather<\/a>.*&lt;f8.*1461 × 4.*Daily weather of Seattle/);
  const policy = page.headers.get('content-security-policy') ?? '';
  t.match(policy, /default-src 'none'.*style-src 'sha256-[^ ;]+';.*frame-ancestors 'none'/);
  t.notMatch(policy, /unsafe|https?:/);
});

t.test('what others wrote is text', async t => {
  const server = await startHere(t);
  const attrs = { title: `<img src=x onerror="alert('1')"> & more` };
  await create(server, { name: 'a', dtype: '<f4', shape: [2], attrs });
  const text = await (await server.fetch('/', { headers: { accept: HTML } })).text();
  t.notMatch(text, '<img');
  t.ok(text.includes('&lt;img src=x onerror=&quot;alert(&#39;1&#39;)&quot;&gt; &amp; more'));
});

t.test('the page shows a hundred datasets, and says where the rest is', async t => {
  const server = await startHere(t);
  for (let i = 0; i <= PAGE_ROWS_MAX; i++) await create(server, { name: `n${1000 + i}`, dtype: '|u1', shape: [] });
  const text = await (await server.fetch('/', { headers: { accept: HTML } })).text();
  t.equal(text.match(/href="v1\/datasets\/n/g)?.length, PAGE_ROWS_MAX);
  t.match(text, /first 100/);
});

t.test('no name is shown to who may not read, nor to a page under another name', async t => {
  const dataDir = temporaryFolder();
  const key = await addKey(dataDir, ['write']);
  const other = await addKey(dataDir, ['read'], { datasets: ['public-*'] });
  const server = await startHere(t, { dataDir });
  await server.fetch('/v1/datasets', {
    ...json('POST', { name: 'secret', dtype: '<f4', shape: [2] }),
    headers: { 'content-type': 'application/json', ...bearer(key).headers },
  });
  const page = async (headers: Record<string, string>): Promise<string> =>
    (await rawRequest(server.url, { headers: { accept: HTML, ...headers } })).body;
  for (const headers of [{}, bearer('hs_wrong').headers, bearer(other).headers])
    t.notMatch(await page(headers), 'secret');
  t.match(await page({}), /A key is needed/);
  t.match(await page(bearer(key).headers), 'secret');

  const open = await startHere(t);
  await create(open, { name: 'secret', dtype: '<f4', shape: [2] });
  const rebound = await rawRequest(open.url, { headers: { accept: HTML, host: 'evil.example' } });
  t.equal(rebound.status, 200);
  t.notMatch(rebound.body, 'secret');
  const ready = await rawRequest(`${open.url}/readyz`, { headers: { host: 'evil.example' } });
  t.strictSame(JSON.parse(ready.body), { status: 'ready' }, 'nor anything else');
});

t.test('the API pages bear the name of the service', async t => {
  const server = await startHere(t);
  const docs = await server.fetch('/docs');
  const page = await docs.text();
  t.match(page, /<title>Hyperslab API<\/title>/);
  const icon = /rel="icon" type="image\/svg\+xml" href="([^"]+)"/.exec(page)?.[1];
  t.match(await (await fetch(new URL(icon!, docs.url))).text(), /^<svg/);
  const script = await (await server.fetch('/docs/static/swagger-initializer.js')).text();
  const logo = /data:image\/svg\+xml;base64,([A-Za-z0-9+/=]+)/.exec(script)?.[1];
  t.match(Buffer.from(logo!, 'base64').toString(), 'e8833a', 'the mark is ours');
});

t.test('who asks for YAML gets the document as it is: JSON is YAML, too', async t => {
  const server = await startHere(t);
  const answer = await server.fetch('/docs/yaml');
  t.equal(answer.status, 200);
  t.equal(new URL(answer.url).pathname, '/openapi.json');
  t.match(await answer.json(), { openapi: '3.0.3' });
});

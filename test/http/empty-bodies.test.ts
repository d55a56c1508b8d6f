/**
 * A body of no bytes is no body: clients that send a Content-Type with everything can call everything, and where a body is
 * needed its absence is told with what is wanted.
 */
import t from 'tap';
import { rawRequest } from '../helpers/raw-request.js';
import { startHere } from '../helpers/service-here.js';

type Headers = Readonly<Record<string, string>>;

const TYPES = [
  'application/json',
  'application/json; charset=utf-8',
  'text/plain',
  'application/x-www-form-urlencoded',
  'image/png',
  '',
];
const LENGTHS: readonly Headers[] = [{}, { 'content-length': '0' }, { 'transfer-encoding': 'chunked' }];

function headersOf(type: string, length: Headers): Headers {
  return type === '' ? length : { 'content-type': type, ...length };
}

t.test('calls without a body take any Content-Type, as long as nothing comes', async t => {
  const { url, ...server } = await startHere(t);
  const make = async (name: string): Promise<void> => {
    const body = JSON.stringify({ name, dtype: 'f4', shape: [2] });
    await server.fetch('/v1/datasets', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  };
  await make('m');
  for (const type of TYPES) {
    for (const length of LENGTHS) {
      const headers = headersOf(type, length);
      const title = JSON.stringify(headers);
      await make('gone');
      const calls: [method: string, where: string, status: number][] = [
        ['POST', '/m/flush', 200],
        ['GET', '/m', 200],
        ['GET', '/m/data', 200],
        ['HEAD', '/m/data', 200],
        ['GET', '/m/statistics?ops=mean', 200],
        ['DELETE', '/gone?data=delete', 204],
        ['DELETE', '/nobody', 404],
      ];
      for (const [method, where, status] of calls) {
        const answer = await rawRequest(`${url}/v1/datasets${where}`, { method, headers: { ...headers } });
        t.equal(answer.status, status, `${method} ${where} ${title}`);
      }
    }
  }
  // Bytes of another type are refused as ever, with and without a length.
  for (const length of [{ 'content-length': '1' }, { 'transfer-encoding': 'chunked' }]) {
    for (const type of ['text/plain', 'image/png', '']) {
      const answer = await rawRequest(`${url}/v1/datasets/m/flush`, {
        method: 'POST',
        headers: { ...headersOf(type, length) },
        body: 'x',
      });
      t.match([answer.status, answer.body], [415, /unsupported_media_type/], `${type} ${JSON.stringify(length)}`);
    }
  }
});

t.test('where a body is needed, its absence says what is wanted', async t => {
  const { url, ...server } = await startHere(t);
  const body = JSON.stringify({ name: 'm', dtype: 'f4', shape: [2] });
  await server.fetch('/v1/datasets', { method: 'POST', headers: { 'content-type': 'application/json' }, body });
  const calls: [method: string, where: string, wanted: RegExp][] = [
    ['POST', '/v1/datasets', /JSON object with \\"name\\"/],
    ['PATCH', '/v1/datasets/m', /JSON object/],
    ['POST', '/v1/datasets/m/statistics', /JSON object with \\"ops\\"/],
    ['POST', '/v1/statistics', /JSON object with \\"queries\\"/],
    ['PUT', '/v1/datasets/new', /application\/x-npy|\.npy/],
    ['PUT', '/v1/datasets/m/data', /application\/json or application\/octet-stream|nested lists/],
    ['POST', '/v1/datasets/m/writes', /application\/json or multipart|\\"writes\\"/],
  ];
  for (const [method, where, wanted] of calls) {
    for (const type of TYPES) {
      for (const length of LENGTHS) {
        const answer = await rawRequest(`${url}${where}`, { method, headers: { ...headersOf(type, length) } });
        const title = `${method} ${where} ${JSON.stringify(headersOf(type, length))}`;
        t.match([answer.status, answer.body], [400, wanted], title);
      }
    }
  }
});

/**
 * Requests that must be refused, as one table: each has its status and code, is told as a problem document without any
 * path or stack, and changes nothing.
 */
import fs from 'node:fs';
import http from 'node:http';
import net from 'node:net';
import path from 'node:path';
import t from 'tap';
import { ERRORS, type ErrorCode } from '../../src/errors.js';
import { header, npy } from '../helpers/npy.js';
import { startServer, temporaryFolder, type TestServer } from '../helpers/server.js';
import { makePipe } from '../helpers/special-files.js';

const JSON_TYPE = { 'content-type': 'application/json' };
const RAW_TYPE = { 'content-type': 'application/octet-stream' };
const NPY_TYPE = { 'content-type': 'application/x-npy' };
const COMMIT_BYTES_MAX = 1 << 20;
const HUGE = 10n ** 18n;

interface BadRequest {
  readonly title: string;
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly status: number;
  readonly code: ErrorCode;
}

const VICTIM = '/v1/datasets/victim';
const DATA = `${VICTIM}/data`;
const DATASETS = '/v1/datasets';

/** GET with a slice of the 4×3 float64 victim. */
const slice = (text: string, status: number, code: ErrorCode): BadRequest => ({
  title: `slice ${JSON.stringify(text.slice(0, 40))}`,
  method: 'GET',
  path: `${DATA}?slice=${encodeURIComponent(text)}`,
  status,
  code,
});

const get = (where: string, status: number, code: ErrorCode, headers?: Record<string, string>): BadRequest => ({
  title: `GET ${where.slice(0, 70)}${headers ? ` with ${JSON.stringify(headers)}` : ''}`,
  method: 'GET',
  path: where,
  ...(headers && { headers }),
  status,
  code,
});

const create = (title: string, body: object | string, status: number, code: ErrorCode): BadRequest => ({
  title: `create: ${title}`,
  method: 'POST',
  path: DATASETS,
  headers: JSON_TYPE,
  body: typeof body === 'string' ? body : JSON.stringify(body),
  status,
  code,
});

/** Registers a raw file of 96 bytes, unless the body says otherwise. */
const register = (title: string, body: object, status: number, code: ErrorCode): BadRequest =>
  create(`register ${title}`, { name: 'bad', path: 'raw.bin', ...body }, status, code);

const write = (
  title: string,
  where: string,
  headers: Readonly<Record<string, string>>,
  body: string | Buffer,
  status: number,
  code: ErrorCode,
): BadRequest => ({ title: `write: ${title}`, method: 'PUT', path: where, headers, body, status, code });

const json = (title: string, body: string | Buffer, status: number, code: ErrorCode, where = DATA): BadRequest =>
  write(`JSON ${title}`, where, JSON_TYPE, body, status, code);

const statistics = (query: string, status: number, code: ErrorCode, name = 'victim'): BadRequest =>
  get(`/v1/datasets/${name}/statistics${query}`, status, code);

const postStatistics = (body: object, status: number, code: ErrorCode): BadRequest => ({
  title: `statistics ${JSON.stringify(body)}`,
  method: 'POST',
  path: `${VICTIM}/statistics`,
  headers: JSON_TYPE,
  body: JSON.stringify(body),
  status,
  code,
});

const patch = (title: string, body: object, status: number, code: ErrorCode, where = VICTIM): BadRequest => ({
  title: `patch: ${title}`,
  method: 'PATCH',
  path: where,
  headers: { 'content-type': 'application/json' },
  body: JSON.stringify(body),
  status,
  code,
});

const remove = (where: string, status: number, code: ErrorCode): BadRequest => ({
  title: `DELETE ${where}`,
  method: 'DELETE',
  path: where,
  status,
  code,
});

const batch = (title: string, body: object, status: number, code: ErrorCode): BadRequest => ({
  title: `batch: ${title}`,
  method: 'POST',
  path: '/v1/statistics',
  headers: JSON_TYPE,
  body: JSON.stringify(body),
  status,
  code,
});

/** A function of the two folders, since some paths are absolute. */
function table(dataDir: string, root: string): BadRequest[] {
  return [
    // Slices and rows.
    slice('', 400, 'bad_slice'),
    slice('  ', 400, 'bad_slice'),
    slice('a', 400, 'bad_slice'),
    slice('1.0', 400, 'bad_slice'),
    slice('1e3', 400, 'bad_slice'),
    slice('0x1', 400, 'bad_slice'),
    slice('+1', 400, 'bad_slice'),
    slice('1_000', 400, 'bad_slice'),
    slice('١', 400, 'bad_slice'),
    slice(',', 400, 'bad_slice'),
    slice('0,,', 400, 'bad_slice'),
    slice(',0', 400, 'bad_slice'),
    slice('0,,1', 400, 'bad_slice'),
    slice('::0', 400, 'bad_slice'),
    slice('1:2:3:4', 400, 'bad_slice'),
    slice('..., ...', 400, 'bad_slice'),
    slice('[0]', 400, 'bad_slice'),
    slice('[0, 1]', 400, 'bad_slice'),
    slice('True', 400, 'bad_slice'),
    slice('0\t', 400, 'bad_slice'),
    slice('- 1', 400, 'bad_slice'),
    slice('0;import os', 400, 'bad_slice'),
    slice('9'.repeat(9000), 400, 'bad_slice'),
    slice('4', 422, 'index_out_of_bounds'),
    slice('-5', 422, 'index_out_of_bounds'),
    slice('0,3', 422, 'index_out_of_bounds'),
    slice(`${HUGE}`, 422, 'index_out_of_bounds'),
    slice('9'.repeat(400), 422, 'index_out_of_bounds'),
    slice('0,0,0', 422, 'too_many_indices'),
    slice(':,:,:', 422, 'too_many_indices'),
    slice(Array.from({ length: 63 }, () => 'newaxis').join(), 422, 'result_rank'),
    get(`${DATA}?slice=0&slice=1`, 400, 'bad_request'),
    get(`${VICTIM}/rows/4`, 422, 'index_out_of_bounds'),
    get(`${VICTIM}/rows/x`, 400, 'bad_slice'),
    get(`${VICTIM}/rows/1.5`, 400, 'bad_slice'),
    get(`${VICTIM}/rows/0:2`, 400, 'bad_slice'),
    get('/v1/datasets/scalar/rows/0', 422, 'too_many_indices'),
    get(`${VICTIM}/rows?start=a`, 400, 'bad_slice'),
    get(`${VICTIM}/rows?step=0`, 400, 'bad_slice'),
    get(`${VICTIM}/rows?begin=1`, 400, 'bad_request'),
    // Unknown things, and parameters that nobody reads.
    get('//', 404, 'not_found'),
    get('/v2/datasets', 404, 'not_found'),
    get('/v1/datasets/victim/dat', 404, 'not_found'),
    { title: 'a method that is not there', method: 'PUT', path: DATASETS, status: 405, code: 'method_not_allowed' },
    get('/v1/datasets/nobody', 404, 'unknown_dataset'),
    get('/v1/datasets/nobody/data', 404, 'unknown_dataset'),
    get('/v1/datasets/__proto__', 404, 'unknown_dataset'),
    get('/v1/datasets/constructor/data', 404, 'unknown_dataset'),
    get('/v1/datasets/..%2f..%2fetc%2fpasswd', 404, 'unknown_dataset'),
    get('/v1/datasets/%00', 404, 'unknown_dataset'),
    get('/v1/datasets/%ZZ', 400, 'bad_request'),
    get('/v1/datasets/../../etc/passwd', 404, 'not_found'),
    get(`${DATA}?slices=0`, 400, 'bad_request'),
    get(`${VICTIM}?verbose=1`, 400, 'bad_request'),
    get(`${VICTIM}?residency=perhaps`, 400, 'bad_request'),
    get(`${DATASETS}?limit=0`, 400, 'bad_request'),
    get(`${DATASETS}?limit=1001`, 400, 'bad_request'),
    get(`${DATASETS}?limit=ten`, 400, 'bad_request'),
    get(`${DATASETS}?limit=1.5`, 400, 'bad_request'),
    get(`${DATASETS}?cursor=$$$`, 400, 'bad_request'),
    get(`${DATASETS}?cursor=Li4v`, 400, 'bad_request'),
    get(`${DATASETS}?order=asc`, 400, 'bad_request'),
    get('/v1/datasets/damaged', 503, 'quarantined'),
    get('/v1/datasets/damaged/data', 503, 'quarantined'),
    // Negotiation, conditions, ranges.
    get(`${DATA}?format=xls`, 406, 'not_acceptable'),
    get(`${DATA}?format=`, 406, 'not_acceptable'),
    get(DATA, 406, 'not_acceptable', { accept: 'text/html' }),
    get(DATA, 406, 'not_acceptable', { accept: 'application/json;q=0' }),
    get(`${DATA}?endian=middle`, 400, 'bad_request'),
    get(`${DATA}?int64=bigint`, 400, 'bad_request'),
    get(DATA, 412, 'generation_moved', { 'if-match': '"0123456789abcdef.1"' }),
    get(`${DATA}?format=raw`, 416, 'range_not_satisfiable', { range: 'bytes=96-' }),
    get(`${DATA}?format=raw`, 416, 'range_not_satisfiable', { range: 'bytes=-0' }),
    get('/v1/datasets/wide/data', 413, 'too_large'),
    get('/v1/datasets/huge/data', 413, 'too_large'),
    get('/v1/datasets/shrunk/data', 409, 'file_changed'),
    // Making.
    create('no JSON', '{"name": ', 400, 'bad_request'),
    create('an empty body', '', 400, 'bad_request'),
    create('a list', '[]', 400, 'bad_request'),
    create('null', 'null', 400, 'bad_request'),
    create('without a name', { dtype: 'f4', shape: [1] }, 400, 'bad_request'),
    create('a number as name', { name: 5, dtype: 'f4', shape: [1] }, 400, 'bad_request'),
    create('an empty name', { name: '', dtype: 'f4', shape: [1] }, 400, 'bad_name'),
    create('a name that climbs', { name: '../up', dtype: 'f4', shape: [1] }, 400, 'bad_name'),
    create('a name with a dot first', { name: '.hidden', dtype: 'f4', shape: [1] }, 400, 'bad_name'),
    create('a name with a newline', { name: 'a\n', dtype: 'f4', shape: [1] }, 400, 'bad_name'),
    create('a name of 129 letters', { name: 'a'.repeat(129), dtype: 'f4', shape: [1] }, 400, 'bad_name'),
    create('a name in other letters', { name: 'größe', dtype: 'f4', shape: [1] }, 400, 'bad_name'),
    create('a name that is taken', { name: 'victim', dtype: 'f4', shape: [1] }, 409, 'exists'),
    create('a name that is taken, w+', { name: 'victim', dtype: 'f4', shape: [1], mode: 'w+' }, 409, 'exists'),
    create('a file that was kept', { name: 'kept', dtype: 'f4', shape: [1] }, 409, 'exists'),
    create('without dtype', { name: 'bad', shape: [1] }, 400, 'bad_request'),
    create('without shape', { name: 'bad', dtype: 'f4' }, 400, 'bad_request'),
    create('an unknown member', { name: 'bad', dtype: 'f4', shape: [1], shap: 2 }, 400, 'bad_request'),
    create('a prototype', '{"name":"bad","dtype":"f4","shape":[1],"__proto__":{"mode":"r"}}', 400, 'bad_request'),
    create(
      'a prototype in attrs',
      '{"name":"bad","dtype":"f4","shape":[1],"attrs":{"a":{"__proto__":{"b":1}}}}',
      400,
      'bad_request',
    ),
    create(
      'attrs a hundred thousand levels deep',
      `{"name":"bad","dtype":"f4","shape":[1],"attrs":{"a":${'['.repeat(1e5)}${']'.repeat(1e5)}}}`,
      400,
      'bad_request',
    ),
    create(
      'attrs with a number beyond float64',
      '{"name":"bad","dtype":"f4","shape":[1],"attrs":{"a":[1e999]}}',
      400,
      'bad_request',
    ),
    create('text without a length', { name: 'bad', dtype: 'U', shape: [1] }, 422, 'unsupported_dtype'),
    create('objects', { name: 'bad', dtype: 'O', shape: [1] }, 422, 'unsupported_dtype'),
    create('an empty dtype', { name: 'bad', dtype: '', shape: [1] }, 422, 'unsupported_dtype'),
    create('a dtype of 10,000 letters', { name: 'bad', dtype: 'f'.repeat(1e4), shape: [1] }, 422, 'unsupported_dtype'),
    create('a negative length', { name: 'bad', dtype: 'f4', shape: [-1] }, 422, 'bad_shape'),
    create('a broken length', { name: 'bad', dtype: 'f4', shape: [1.5] }, 400, 'bad_request'),
    create('a length in quotes', { name: 'bad', dtype: 'f4', shape: ['5'] }, 400, 'bad_request'),
    create('an endless length', '{"name":"bad","dtype":"f4","shape":[1e999]}', 422, 'bad_shape'),
    create('65 axes', { name: 'bad', dtype: 'f4', shape: Array.from({ length: 65 }, () => 1) }, 400, 'bad_request'),
    create('2^60 bytes', { name: 'bad', dtype: 'f4', shape: [2 ** 30, 2 ** 28] }, 413, 'too_large'),
    create('a fill out of range', { name: 'bad', dtype: 'i1', shape: [1], fill: 300 }, 422, 'would_lose'),
    create('NaN in integers', { name: 'bad', dtype: 'i4', shape: [1], fill: 'NaN' }, 422, 'would_lose'),
    create('an endless fill', '{"name":"bad","dtype":"f8","shape":[1],"fill":1e999}', 422, 'would_lose'),
    create('a list as fill', { name: 'bad', dtype: 'f4', shape: [1], fill: [1] }, 400, 'bad_json'),
    create('new and mode r', { name: 'bad', dtype: 'f4', shape: [1], mode: 'r' }, 400, 'bad_request'),
    create('mode c, which comes later', { name: 'bad', dtype: 'f4', shape: [1], mode: 'c' }, 400, 'bad_request'),
    create('overwrite without w+', { name: 'victim', dtype: 'f4', shape: [1], overwrite: true }, 400, 'bad_request'),
    create('too few dims', { name: 'bad', dtype: 'f4', shape: [1, 1], dims: ['x'] }, 422, 'bad_shape'),
    create(
      'attrs of 65 KiB',
      { name: 'bad', dtype: 'f4', shape: [1], attrs: { a: 'x'.repeat(65 << 10) } },
      413,
      'too_large',
    ),
    create(
      'a body of 2 MiB',
      { name: 'bad', dtype: 'f4', shape: [1], attrs: { a: 'x'.repeat(2 << 20) } },
      413,
      'too_large',
    ),
    { ...create('as text', '{}', 415, 'unsupported_media_type'), headers: { 'content-type': 'text/plain' } },
    { ...create('with no type', '{}', 415, 'unsupported_media_type'), headers: {} },
    // Registering.
    register('a path that climbs', { path: '../raw.bin' }, 403, 'path_forbidden'),
    register('a path that climbs within', { path: 'folder/../raw.bin' }, 403, 'path_forbidden'),
    register('an absolute path outside', { path: '/etc/passwd' }, 403, 'path_forbidden'),
    register('a device', { path: '/dev/zero' }, 403, 'path_forbidden'),
    register('a neighbour of a root', { path: `${root}-not/raw.bin` }, 403, 'path_forbidden'),
    register('an empty path', { path: '' }, 403, 'path_forbidden'),
    register('a path with a zero byte', { path: 'raw.bin\0.npy' }, 403, 'path_forbidden'),
    register('a path of 5,000 letters', { path: 'a'.repeat(5000) }, 403, 'path_forbidden'),
    register('a link that leads out', { path: 'link-out' }, 403, 'path_forbidden'),
    register('a folder link that leads out', { path: 'folder-out/passwd' }, 403, 'path_forbidden'),
    register('a link to itself', { path: 'link-loop' }, 403, 'path_forbidden'),
    register('the catalog', { path: 'catalog/victim.json' }, 403, 'path_forbidden'),
    register('the catalog, absolutely', { path: path.join(dataDir, 'catalog', 'victim.json') }, 403, 'path_forbidden'),
    register('the catalog through a link', { path: 'link-catalog/victim.json' }, 403, 'path_forbidden'),
    register('the journal', { path: 'journal/nothing' }, 404, 'file_not_found'),
    create(
      'in the catalog',
      { name: 'bad', dtype: 'u1', shape: [1], mode: 'w+', path: 'catalog/bad.json', format: 'raw' },
      403,
      'path_forbidden',
    ),
    create(
      'in the journal',
      { name: 'bad', dtype: 'u1', shape: [1], mode: 'w+', path: 'journal/bad.npy' },
      403,
      'path_forbidden',
    ),
    create(
      'outside',
      { name: 'bad', dtype: 'u1', shape: [1], mode: 'w+', path: '/tmp/bad.npy' },
      403,
      'path_forbidden',
    ),
    create(
      'no folder',
      { name: 'bad', dtype: 'u1', shape: [1], mode: 'w+', path: 'no/bad.npy' },
      404,
      'file_not_found',
    ),
    create(
      'over a file',
      { name: 'bad', dtype: 'u1', shape: [1], mode: 'w+', path: path.join(root, 'raw.bin'), format: 'raw' },
      409,
      'exists',
    ),
    create(
      'over a registered file',
      {
        name: 'bad',
        dtype: 'u1',
        shape: [1],
        mode: 'w+',
        path: path.join(root, 'external.bin'),
        format: 'raw',
        overwrite: true,
      },
      409,
      'file_in_use',
    ),
    create(
      'over an array of ours',
      { name: 'bad', dtype: 'u1', shape: [1], mode: 'w+', path: 'arrays/victim.npy', overwrite: true },
      409,
      'file_in_use',
    ),
    register('a missing file', { path: 'missing.bin' }, 404, 'file_not_found'),
    register('below a file', { path: 'raw.bin/deeper' }, 404, 'file_not_found'),
    register('a folder', { path: 'folder' }, 422, 'not_a_regular_file'),
    register('a root itself', { path: '.' }, 422, 'not_a_regular_file'),
    register('a pipe', { path: 'pipe' }, 422, 'not_a_regular_file'),
    register('more than the file has', { dtype: 'f8', shape: [13] }, 422, 'file_too_small'),
    register('more than the file has, r+', { dtype: 'f8', shape: [13], mode: 'r+' }, 422, 'file_too_small'),
    register('an offset behind the end', { offset: 97 }, 422, 'file_too_small'),
    register('an offset of 10^15', { offset: 1e15, shape: [1] }, 422, 'file_too_small'),
    register('a negative offset', { offset: -1 }, 400, 'bad_request'),
    register('half an offset', { offset: 0.5 }, 400, 'bad_request'),
    register('an offset in quotes', { offset: '0' }, 400, 'bad_request'),
    register('a size that does not divide', { dtype: 'f8', offset: 1 }, 422, 'bad_shape'),
    register('a fill', { fill: 1 }, 400, 'bad_request'),
    register('a .npy with another dtype', { path: 'good.npy', dtype: 'f4' }, 422, 'header_mismatch'),
    register('a .npy with another shape', { path: 'good.npy', shape: [3] }, 422, 'header_mismatch'),
    register('a .npy with another order', { path: 'square.npy', order: 'F' }, 422, 'header_mismatch'),
    register('a zip archive', { path: 'archive.dat' }, 422, 'not_an_array'),
    register('an .npz that is none', { path: 'fake.npz' }, 422, 'format_mismatch'),
    register('raw r+ over a .npy', { path: 'good.npy', format: 'raw', mode: 'r+' }, 422, 'format_mismatch'),
    register('a .npy that is none', { path: 'fake.npy' }, 400, 'bad_npy'),
    register('a .npy that ends early', { path: 'cut.npy' }, 400, 'bad_npy'),
    register('a .npy shorter than it says', { path: 'liar.npy' }, 422, 'file_too_small'),
    register('a .npy of objects', { path: 'objects.npy' }, 422, 'unsupported_dtype'),
    register('a .npy with code in its header', { path: 'code.npy' }, 400, 'bad_npy'),
    register('a second writer', { path: 'external.bin', mode: 'r+' }, 409, 'file_in_use'),
    register('a second writer by a link', { path: 'link-in', mode: 'r+' }, 409, 'file_in_use'),
    register('a second writer by a hard link', { path: 'hard-link', mode: 'r+' }, 409, 'file_in_use'),
    register('dims of another rank', { dims: ['x', 'y'] }, 422, 'bad_shape'),
    // Changing and forgetting.
    patch('an unknown member', { shape: [1] }, 400, 'bad_request'),
    patch('mode w+', { mode: 'w+' }, 400, 'bad_request'),
    patch('dims of another rank', { dims: ['a'] }, 422, 'bad_shape'),
    patch('attrs of 65 KiB', { attrs: { a: 'x'.repeat(65 << 10) } }, 413, 'too_large'),
    patch('attrs that are a list', { attrs: [1] }, 400, 'bad_request'),
    patch('nobody', {}, 404, 'unknown_dataset', '/v1/datasets/nobody'),
    patch('a second writer', { mode: 'r+' }, 409, 'file_in_use', '/v1/datasets/reader'),
    remove('/v1/datasets/nobody', 404, 'unknown_dataset'),
    remove('/v1/datasets/.bad', 400, 'bad_name'),
    remove(`${VICTIM}?data=burn`, 400, 'bad_request'),
    remove('/v1/datasets/external?data=delete', 403, 'not_owned'),
    remove('/v1/datasets/reader?data=delete', 403, 'not_owned'),
    remove(`${VICTIM}?data=delete`, 409, 'file_in_use'),
    // Writing.
    json('that ends early', '[1,2', 400, 'bad_json'),
    json('that is empty', '', 400, 'bad_json'),
    json('with a comma too many', '[1,,2]', 400, 'bad_json'),
    json('with something behind', '1 2', 400, 'bad_json'),
    json('with a leading zero', '01', 400, 'bad_json'),
    json('with a bare NaN', 'NaN', 400, 'bad_json'),
    json('that is wrapped', '{"data":[1]}', 400, 'bad_json'),
    json('with a prototype', '{"__proto__":1}', 400, 'bad_json'),
    json('in bytes that are no UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 422, 'would_lose'),
    json('with lists of different lengths', '[[1,2,3],[1,2]]', 422, 'shape_mismatch'),
    json('with lists of different depths', '[[1],2]', 422, 'shape_mismatch'),
    json('of another shape', '[1,2]', 422, 'shape_mismatch'),
    json('with too many axes', '[[[1,2,3]],[[1,2,3]]]', 422, 'shape_mismatch'),
    json('65 lists deep', `${'['.repeat(65)}1${']'.repeat(65)}`, 422, 'bad_shape'),
    json('a million lists deep', '['.repeat(1e6), 422, 'bad_shape'),
    json('with null', 'null', 422, 'would_lose'),
    json('beyond float64', '1e999', 422, 'would_lose'),
    json('with words in quotes', '"many"', 422, 'would_lose'),
    json('1e39 in float32', '1e39', 422, 'would_lose', '/v1/datasets/single/data'),
    json('NaN in integers', '"NaN"', 422, 'would_lose', '/v1/datasets/bytes/data'),
    json('300 in int8', '300', 422, 'would_lose', '/v1/datasets/bytes/data'),
    json('-129 in int8', '[0,0,0,-129]', 422, 'would_lose', '/v1/datasets/bytes/data'),
    json('1.5 in int8', '1.5', 422, 'would_lose', '/v1/datasets/bytes/data'),
    json('2^63 in int64', '9223372036854775808', 422, 'would_lose', '/v1/datasets/wide-ints/data'),
    json('1 in bool', '1', 422, 'would_lose', '/v1/datasets/flags/data'),
    json('to mode r', '1', 403, 'read_only', '/v1/datasets/reader/data'),
    json('to nobody', '1', 404, 'unknown_dataset', '/v1/datasets/nobody/data'),
    json('to an index that is not there', '1', 422, 'index_out_of_bounds', `${DATA}?slice=4`),
    json('behind the end', '1', 422, 'outside', `${DATA}?slice=4:`),
    json('to a blank slice', '1', 400, 'bad_slice', `${DATA}?slice=`),
    json('with an unknown durability', '1', 400, 'bad_request', `${DATA}?durability=maybe`),
    json('with an unknown parameter', '1', 400, 'bad_request', `${DATA}?slic=0`),
    json('over the commit limit', '1', 413, 'too_large', '/v1/datasets/wide/data'),
    json('of 5 MiB', `[${'1,'.repeat(2.5 * 1024 * 1024)}1]`, 413, 'too_large'),
    write(
      'If-Match that moved',
      DATA,
      { ...JSON_TYPE, 'if-match': '"0123456789abcdef.1"' },
      '1',
      412,
      'generation_moved',
    ),
    write('raw, a byte short', DATA, RAW_TYPE, Buffer.alloc(95), 422, 'body_size_mismatch'),
    write('raw, a byte long', DATA, RAW_TYPE, Buffer.alloc(97), 422, 'body_size_mismatch'),
    write('raw, empty', DATA, RAW_TYPE, Buffer.alloc(0), 422, 'body_size_mismatch'),
    write(
      'raw, streamed short',
      DATA,
      { ...RAW_TYPE, 'transfer-encoding': 'chunked' },
      Buffer.alloc(50),
      422,
      'body_size_mismatch',
    ),
    write(
      'raw, streamed long',
      DATA,
      { ...RAW_TYPE, 'transfer-encoding': 'chunked' },
      Buffer.alloc(500),
      422,
      'body_size_mismatch',
    ),
    write('raw, over the commit limit', '/v1/datasets/wide/data', RAW_TYPE, Buffer.alloc(2 << 20), 413, 'too_large'),
    write('npy that is none', DATA, NPY_TYPE, 'no array', 400, 'bad_npy'),
    write('npy, empty', DATA, NPY_TYPE, '', 400, 'bad_npy'),
    write('npy of version 9', DATA, NPY_TYPE, npy(header('<f8', '()'), 8, 9), 400, 'bad_npy'),
    write('npy of objects', DATA, NPY_TYPE, npy(header('|O', '()'), 8), 422, 'unsupported_dtype'),
    write('npy of another shape', DATA, NPY_TYPE, npy(header('<f8', '(2,)'), 16), 422, 'shape_mismatch'),
    write('npy, a byte short', DATA, NPY_TYPE, npy(header('<f8', '(3,)'), 23), 422, 'body_size_mismatch'),
    write('npy, a byte long', DATA, NPY_TYPE, npy(header('<f8', '(3,)'), 25), 422, 'body_size_mismatch'),
    write('npy of 10^18 elements', DATA, NPY_TYPE, npy(header('<f8', `(${HUGE},)`)), 422, 'bad_shape'),
    write('npy float into int', '/v1/datasets/bytes/data', NPY_TYPE, npy(header('<f8', '()'), 8), 422, 'would_lose'),
    write(
      'npy 200 into int8',
      '/v1/datasets/bytes/data',
      NPY_TYPE,
      npy(header('|u1', '(4,)'), Buffer.of(1, 2, 3, 200)),
      422,
      'would_lose',
    ),
    write('as text', DATA, { 'content-type': 'text/plain' }, '1', 415, 'unsupported_media_type'),
    write('with no type', DATA, {}, '1', 415, 'unsupported_media_type'),
    write('compressed', DATA, { ...RAW_TYPE, 'content-encoding': 'gzip' }, 'zzzzz', 415, 'unsupported_media_type'),
    write('import as JSON', '/v1/datasets/new', JSON_TYPE, '1', 415, 'unsupported_media_type'),
    write('import that is no npy', '/v1/datasets/new', NPY_TYPE, 'abc', 400, 'bad_npy'),
    write(
      'import that ends early',
      '/v1/datasets/new',
      NPY_TYPE,
      npy(header('<f8', '(3,)'), 5),
      422,
      'body_size_mismatch',
    ),
    write('import over another', VICTIM, NPY_TYPE, npy(header('<f8', '()'), 8), 409, 'exists'),
    write('import under a bad name', '/v1/datasets/.new', NPY_TYPE, npy(header('<f8', '()'), 8), 400, 'bad_name'),
    // Statistics.
    statistics('', 400, 'bad_request'),
    statistics('?ops=', 422, 'bad_operation'),
    statistics('?ops=average', 422, 'bad_operation'),
    statistics('?ops=__proto__', 422, 'bad_operation'),
    statistics('?ops=mean,mean', 422, 'bad_operation'),
    statistics('?ops=mean&axis=2', 422, 'bad_axis'),
    statistics('?ops=mean&axis=-3', 422, 'bad_axis'),
    statistics('?ops=mean&axis=0,0', 422, 'bad_axis'),
    statistics('?ops=mean&axis=0,-2', 422, 'bad_axis'),
    statistics(`?ops=mean&axis=${HUGE}`, 422, 'bad_axis'),
    statistics('?ops=mean&axis=x', 422, 'bad_axis'),
    statistics('?ops=mean&axis=,', 422, 'bad_axis'),
    statistics('?ops=mean&axis=0,,', 422, 'bad_axis'),
    statistics('?ops=argmin&axis=0,1', 422, 'bad_operation'),
    statistics('?ops=mean&nan=ignore', 400, 'bad_request'),
    statistics('?ops=std&ddof=many', 400, 'bad_request'),
    statistics('?ops=std&ddof=1e999', 400, 'bad_request'),
    statistics('?ops=mean&keepdims=perhaps', 400, 'bad_request'),
    statistics('?ops=mean&bias=perhaps', 400, 'bad_request'),
    statistics('?ops=mean&slice=9', 422, 'index_out_of_bounds'),
    statistics('?ops=mean&slice=', 400, 'bad_slice'),
    statistics('?ops=mean&speed=high', 400, 'bad_request'),
    statistics('?ops=mean,std&format=npy', 422, 'bad_operation'),
    statistics('?ops=mean&format=xls', 406, 'not_acceptable'),
    statistics('?ops=min', 422, 'empty_selection', 'empty'),
    statistics('?ops=argmax&slice=0:0', 422, 'empty_selection'),
    statistics('?ops=mean&nan=raise', 422, 'nan_found', 'nans'),
    statistics('?ops=mean&nan=omit', 404, 'unknown_dataset', 'nobody'),
    statistics('?ops=mean&slice=...,newaxis&axis=1', 413, 'too_large', 'huge'),
    postStatistics({}, 400, 'bad_request'),
    postStatistics({ ops: [] }, 400, 'bad_request'),
    postStatistics({ ops: 'mean' }, 400, 'bad_request'),
    postStatistics({ ops: [7] }, 400, 'bad_request'),
    postStatistics({ ops: ['mean'], axis: 1.5 }, 400, 'bad_request'),
    postStatistics({ ops: ['mean'], axes: 1 }, 400, 'bad_request'),
    postStatistics({ ops: ['mean'], where: { dataset: 'odd', gt: 0 } }, 422, 'not_aligned'),
    postStatistics({ ops: ['mean'], as: ['a', 'b'] }, 422, 'bad_operation'),
    batch('no queries', { queries: [] }, 400, 'bad_request'),
    batch('no dataset', { queries: [{ ops: ['mean'] }] }, 400, 'bad_request'),
    batch('an unknown order', { queries: [{ dataset: 'victim', ops: ['mean'] }], order: 'random' }, 400, 'bad_request'),
    batch(
      '1,001 queries',
      { queries: Array.from({ length: 1001 }, () => ({ dataset: 'victim', ops: ['mean'] })) },
      400,
      'bad_request',
    ),

    get('/v1/jobs?cursor=$$$', 400, 'bad_request'),
    get('/v1/jobs?cursor=MS5hYmM', 400, 'bad_request'),
    get('/v1/jobs?limit=0', 400, 'bad_request'),
    get('/v1/jobs?state=done', 400, 'bad_request'),
    get('/v1/jobs/', 404, 'not_found'),
    get('/v1/jobs/..%2Fdatasets', 404, 'unknown_job'),
    get(`/v1/jobs/${'0'.repeat(32)}`, 404, 'unknown_job'),
    get(`/v1/jobs/${'0'.repeat(32)}/events`, 404, 'unknown_job'),
    remove(`/v1/jobs/${'0'.repeat(32)}`, 404, 'unknown_job'),
    // What is wrong with a query is told at once, not by a job.
    { ...statistics('?ops=average', 422, 'bad_operation'), headers: { prefer: 'respond-async' } },
    { ...statistics('?ops=mean', 404, 'unknown_dataset', 'nobody'), headers: { prefer: 'respond-async, wait=1' } },
  ];
}

let server: TestServer;
let root: string;
let dataDir: string;

t.before(async () => {
  root = temporaryFolder();
  dataDir = temporaryFolder();
  fillRoot();
  fs.mkdirSync(path.join(dataDir, 'catalog'));
  fs.writeFileSync(path.join(dataDir, 'catalog', 'damaged.json'), '{"version": 1, "name": "damaged"');
  fs.symlinkSync(path.join(dataDir, 'catalog'), path.join(root, 'link-catalog'));
  server = await startServer({
    dataDir,
    env: { HYPERSLAB_ROOTS: root, HYPERSLAB_COMMIT_BYTES_MAX: String(COMMIT_BYTES_MAX) },
  });
  await makeDatasets();
});
t.teardown(async () => {
  agent.destroy();
  await server.stop();
  fs.rmSync(dataDir, { recursive: true, force: true });
  fs.rmSync(root, { recursive: true, force: true });
});

t.test('bad requests are told what is wrong, and change nothing', async t => {
  const requests = table(dataDir, root);
  t.ok(requests.length >= 70, `${requests.length} requests`);
  const before = await everything();
  const victim = fs.readFileSync(path.join(dataDir, 'arrays', 'victim.npy'));
  for (const request of requests) {
    const { title, status, code } = request;
    const answer = await send(request);
    const problem = parse(answer.text);
    if (answer.status !== status || problem['code'] !== code) {
      t.fail(`${title}: ${status} ${code} was due`, { found: answer.status, text: answer.text.slice(0, 500) });
      // What should not have been made must not make the rest fail too.
      if (answer.status === 201) await send(remove('/v1/datasets/bad', 204, 'internal'));
      continue;
    }
    const faults = faultsOf(answer, problem);
    if (!fs.readFileSync(path.join(dataDir, 'arrays', 'victim.npy')).equals(victim)) faults.push('the data changed');
    t.strictSame(faults, [], `${title}: ${status} ${code}`);
  }
  t.strictSame(await everything(), before, 'every dataset and every file is as it was');
});

t.test('shapes and slices of 10^18 are answered at once', async t => {
  const before = await everything();
  const started = performance.now();
  const lengths = [`[${HUGE}]`, `[${HUGE},${HUGE}]`, `[0,${HUGE}]`, '[9007199254740993]', `[${'1000,'.repeat(60)}1]`];
  for (const shape of lengths) {
    for (const sparse of [true, false]) {
      const body = `{"name":"bad","dtype":"f8","shape":${shape},"sparse":${sparse}}`;
      const answer = await send(create('', body, 0, 'too_large'));
      const { code } = parse(answer.text);
      t.ok(answer.status === 413 || answer.status === 422, `${shape.slice(0, 40)}: ${answer.status} ${String(code)}`);
      t.strictSame(faultsOf(answer, parse(answer.text)), []);
    }
    const body = `{"name":"bad","path":"raw.bin","dtype":"f8","shape":${shape}}`;
    const answer = await send(create('', body, 0, 'too_large'));
    t.ok(answer.status === 413 || answer.status === 422, `${shape.slice(0, 40)} of a file: ${answer.status}`);
  }
  const cases: [slice: string, status: number, shape: string][] = [
    [`0:${HUGE}`, 200, '4,3'],
    [`-${HUGE}:${HUGE}`, 200, '4,3'],
    [`::${HUGE}`, 200, '1,3'],
    [`::-${HUGE}`, 200, '1,3'],
    [`${HUGE}:`, 200, '0,3'],
    [`${HUGE}::-1`, 200, '4,3'],
    [`...,${HUGE}:${HUGE}:-${HUGE}`, 200, '4,0'],
    [`${HUGE}`, 422, ''],
    [`-${HUGE}`, 422, ''],
  ];
  for (const [text, status, shape] of cases) {
    for (const name of ['victim', 'huge']) {
      const wanted = name === 'victim' ? shape : undefined;
      const answer = await send({
        method: 'HEAD',
        path: `/v1/datasets/${name}/data?format=raw&slice=${encodeURIComponent(text)}`,
      });
      t.equal(answer.status, status, `${text} of ${name}`);
      if (wanted !== undefined && status === 200) t.equal(answer.headers['x-array-shape'], wanted);
    }
    const put = await send({
      method: 'PUT',
      path: `/v1/datasets/reader/data?slice=${encodeURIComponent(text)}`,
      headers: JSON_TYPE,
      body: '1',
    });
    t.ok(put.status === 403 || put.status === 422, `${text}: ${put.status}`);
  }
  for (const query of [`slice=::${HUGE}`, `slice=${HUGE}:&nan=omit`]) {
    const answer = await send({ method: 'GET', path: `${VICTIM}/statistics?ops=sum&${query}` });
    t.equal(answer.status, 200, query);
  }
  t.ok(performance.now() - started < 5000, `${Math.round(performance.now() - started)} ms`);
  t.strictSame(await everything(), before, 'and nothing was made');
});

t.test('a batch tells of each bad query in its own line', async t => {
  const queries = [
    { dataset: 'nobody', ops: ['mean'] },
    { dataset: 'victim', ops: ['mean'], axis: 7 },
    { dataset: 'victim', ops: ['mean'] },
    { dataset: 'victim', ops: ['mean'], slice: 'x' },
    { dataset: 'damaged', ops: ['mean'] },
    { dataset: 'shrunk', ops: ['mean'] },
    { dataset: 'empty', ops: ['max'] },
  ];
  const answer = await send({
    method: 'POST',
    path: '/v1/statistics',
    headers: JSON_TYPE,
    body: JSON.stringify({ queries }),
  });
  const lines = answer.text
    .trimEnd()
    .split('\n')
    .map(line => JSON.parse(line) as { index: number; error?: Record<string, unknown> });
  t.strictSame(
    lines.map(({ index, error }) => [index, error?.['code'], error?.['status']]),
    [
      [0, 'unknown_dataset', 404],
      [1, 'bad_axis', 422],
      [2, undefined, undefined],
      [3, 'bad_slice', 400],
      [4, 'quarantined', 503],
      [5, 'file_changed', 409],
      [6, 'empty_selection', 422],
    ],
  );
  for (const { error } of lines) if (error) t.strictSame(memberFaults(error, error['status'] as number), []);
  t.notOk(tellsTooMuch(answer.text));
});

t.test('after a refused body the connection goes on, or is closed, but never hangs', async t => {
  const bodies: [title: string, headers: string, body: Buffer][] = [
    ['no npy', 'Content-Type: application/x-npy\r\nContent-Length: 5000000', Buffer.alloc(5_000_000)],
    [
      'too long in chunks',
      'Content-Type: application/octet-stream\r\nTransfer-Encoding: chunked',
      Buffer.concat([Buffer.from('4c4b40\r\n'), Buffer.alloc(5_000_000), Buffer.from('\r\n0\r\n\r\n')]),
    ],
    ['too long', 'Content-Type: application/octet-stream\r\nContent-Length: 5000000', Buffer.alloc(5_000_000)],
  ];
  for (const [title, headers, body] of bodies) {
    const { hostname, port } = new URL(server.url);
    const socket = net.connect(Number(port), hostname);
    // A server that hangs up early may do so while we are still writing.
    socket.on('error', () => undefined);
    socket.write(`PUT ${DATA} HTTP/1.1\r\nHost: test\r\n${headers}\r\n\r\n`);
    socket.write(body);
    socket.write('GET /healthz HTTP/1.1\r\nHost: test\r\n\r\n');
    const end = await new Promise<string>(resolve => {
      let text = '';
      socket.on('data', (part: Buffer) => {
        text += part.toString('latin1');
        if (/HTTP\/1\.1 200 /.test(text)) resolve('the next request is answered');
      });
      socket.on('close', () => resolve('closed'));
      setTimeout(() => resolve('nothing'), 3000);
    });
    socket.destroy();
    t.not(end, 'nothing', `${title}: ${end}`);
  }
});

t.test('a relative path to be made anew is that of the first folder that has it', async t => {
  const body = { name: 'anew', path: 'folder/anew.bin', dtype: 'u1', shape: [1], mode: 'w+', format: 'raw' };
  fs.mkdirSync(path.join(dataDir, 'folder'));
  fs.writeFileSync(path.join(root, 'folder', 'anew.bin'), 'here');
  const taken = await send(create('', body, 409, 'exists'));
  t.strictSame([taken.status, parse(taken.text)['code']], [409, 'exists']);
  await send(remove('/v1/datasets/anew?data=delete', 204, 'internal'));
  await send(remove('/v1/datasets/anew', 204, 'internal'));
  t.notOk(fs.existsSync(path.join(dataDir, 'folder', 'anew.bin')), 'and no file hides it from now on');
});

t.test('a name that is being made is busy, a file that is being loaded is closed', async t => {
  const whole = npy(header('|u1', '(1000,)'), 1000);
  const importing = startRequest({ method: 'PUT', path: '/v1/datasets/slow', headers: NPY_TYPE }, whole.length);
  importing.write(whole.subarray(0, 500));
  const busy = await eventually(async () => {
    const answer = await send(remove('/v1/datasets/slow', 503, 'busy'));
    return answer.status === 404 ? undefined : answer;
  });
  t.equal(busy.status, 503);
  t.equal(busy.headers['retry-after'], '1');
  t.strictSame([parse(busy.text)['code'], ...faultsOf(busy, parse(busy.text))], ['busy']);
  importing.destroy();

  const loading = startRequest(
    { method: 'PUT', path: '/v1/datasets/wide/data?durability=none', headers: RAW_TYPE },
    4 << 20,
  );
  loading.write(Buffer.alloc(2 << 20));
  const described = await eventually(async () => {
    const dataset = parse((await send({ method: 'GET', path: '/v1/datasets/wide' })).text);
    return dataset['state'] === 'bulk_load' ? dataset : undefined;
  });
  t.match(described, { name: 'wide' });
  const closed = await send({ method: 'GET', path: '/v1/datasets/wide/data?slice=0' });
  t.equal(closed.status, 503);
  t.ok(Number(closed.headers['retry-after']) > 0);
  t.strictSame([parse(closed.text)['code'], ...faultsOf(closed, parse(closed.text))], ['bulk_load']);
  loading.destroy();
  const open = await eventually(async () => {
    const answer = await send({ method: 'GET', path: '/v1/datasets/wide/data?slice=0' });
    return answer.status === 503 ? undefined : answer;
  });
  t.equal(open.status, 200, 'a stream that broke off leaves the file usable');
  t.equal((await send({ method: 'GET', path: '/v1/datasets/slow' })).status, 404, 'and an import leaves nothing');
  t.notOk(fs.existsSync(path.join(dataDir, 'arrays', 'slow.npy')));
});

// The world that the requests meet.

function fillRoot(): void {
  const put = (name: string, bytes: Uint8Array): void => fs.writeFileSync(path.join(root, name), bytes);
  for (const name of ['raw.bin', 'external.bin', 'shrunk.bin']) put(name, Buffer.alloc(96, 1));
  const good = npy(header('<f8', '(2,)'), 16);
  put('good.npy', good);
  put('square.npy', npy(header('<f8', '(2, 2)'), 32));
  put('fake.npy', Buffer.from('this is not an array at all'));
  put('fake.npz', Buffer.from('this is no archive'));
  put('archive.dat', Buffer.from('PK\x03\x04 and so on'));
  put('cut.npy', good.subarray(0, 40));
  put('liar.npy', npy(header('<f8', '(2000,)'), 16));
  put('objects.npy', npy(header('|O', '(2,)'), 16));
  put('code.npy', npy(`{'descr': __import__('os').getcwd(), 'fortran_order': False, 'shape': (2,), }`, 16));
  fs.mkdirSync(path.join(root, 'folder'));
  fs.symlinkSync('/etc/passwd', path.join(root, 'link-out'));
  fs.symlinkSync('/etc', path.join(root, 'folder-out'));
  fs.symlinkSync('link-loop', path.join(root, 'link-loop'));
  fs.symlinkSync('external.bin', path.join(root, 'link-in'));
  fs.linkSync(path.join(root, 'external.bin'), path.join(root, 'hard-link'));
  makePipe(path.join(root, 'pipe'));
}

async function makeDatasets(): Promise<void> {
  const bodies = [
    { name: 'victim', dtype: 'f8', shape: [4, 3], fill: 1.5, attrs: { unit: 'm' } },
    { name: 'witness', path: 'arrays/victim.npy', mode: 'r' },
    { name: 'scalar', dtype: 'f8', shape: [] },
    { name: 'single', dtype: 'f4', shape: [4] },
    { name: 'bytes', dtype: 'i1', shape: [4] },
    { name: 'wide-ints', dtype: 'i8', shape: [4] },
    { name: 'flags', dtype: '?', shape: [4] },
    { name: 'empty', dtype: 'f8', shape: [0, 3] },
    { name: 'nans', dtype: 'f8', shape: [4], fill: 'NaN' },
    { name: 'odd', dtype: 'f8', shape: [5] },
    { name: 'wide', dtype: 'u1', shape: [4 << 20], sparse: true },
    { name: 'huge', dtype: 'u1', shape: [2 ** 33, 1], sparse: true },
    { name: 'external', path: 'external.bin', dtype: 'f8', mode: 'r+' },
    { name: 'reader', path: 'external.bin', dtype: 'f8', mode: 'r' },
    { name: 'shrunk', path: 'shrunk.bin', dtype: 'f8', mode: 'r' },
    { name: 'kept', dtype: 'f8', shape: [2] },
  ];
  for (const body of bodies) {
    const answer = await send(create('', body, 201, 'internal'));
    if (answer.status !== 201) throw new Error(`${body.name}: ${answer.text}`);
  }
  await send(remove('/v1/datasets/kept', 204, 'internal'));
  fs.truncateSync(path.join(root, 'shrunk.bin'), 50);
  // Now it is noticed, and its generation moves.
  await send({ method: 'GET', path: `${DATASETS}/shrunk` });
}

/** All that is told of the datasets, and the size and time of change of every file. */
async function everything(): Promise<unknown> {
  const list = await send({ method: 'GET', path: `${DATASETS}?limit=1000` });
  const files = [root, dataDir].flatMap(folder =>
    fs
      .readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter(entry => entry.isFile())
      .map(entry => path.join(entry.parentPath, entry.name)),
  );
  const stats = files.sort().map(file => [file, fs.statSync(file).size, fs.statSync(file).mtimeMs]);
  const victim = fs.readFileSync(path.join(dataDir, 'arrays', 'victim.npy')).toString('base64');
  return { list: parse(list.text), stats, victim };
}

// Requests as they are written, without a client that mends them.

interface Sent {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly text: string;
}

/** Connections that stay open let the server read, and drop, the rest of a body that it refused. */
const agent = new http.Agent({ keepAlive: true });

/** A request whose body is the caller's to write; it may be destroyed at any time. */
function startRequest({ method, path: where, headers }: Sent, contentLength?: number): http.ClientRequest {
  const { hostname, port } = new URL(server.url);
  const length = contentLength === undefined ? {} : { 'content-length': String(contentLength) };
  const request = http.request({ hostname, port, method, path: where, headers: { ...headers, ...length }, agent });
  // The server may answer and hang up before it has read a body that it refuses.
  request.on('error', () => undefined);
  return request;
}

function send(sent: Sent): Promise<Answer> {
  const { body } = sent;
  const isChunked = sent.headers?.['transfer-encoding'] !== undefined;
  return new Promise((resolve, reject) => {
    const request = startRequest(sent, body === undefined || isChunked ? undefined : Buffer.byteLength(body));
    let isAnswered = false;
    request.on('error', error => !isAnswered && reject(error));
    request.on('response', response => {
      isAnswered = true;
      const parts: Buffer[] = [];
      response.on('data', (part: Buffer) => parts.push(part));
      response.on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode!,
          headers: response.headers,
          text: Buffer.concat(parts).toString(),
        }),
      );
    });
    request.end(body);
  });
}

async function eventually<T>(attempt: () => Promise<T | undefined>): Promise<T> {
  for (let i = 0; i < 200; i++) {
    const found = await attempt();
    if (found !== undefined) return found;
    await new Promise(resolve => {
      setTimeout(resolve, 20);
    });
  }
  throw new Error('it did not come about');
}

// What a problem document must be.

function parse(text: string): Record<string, unknown> {
  try {
    return JSON.parse(text) as Record<string, unknown>;
  } catch {
    return {};
  }
}

function faultsOf(answer: Answer, problem: Record<string, unknown>): string[] {
  const faults = memberFaults(problem, answer.status);
  if (answer.headers['content-type']?.split(';')[0] !== 'application/problem+json') {
    faults.push(`content-type is ${answer.headers['content-type']}`);
  }
  if (answer.headers['content-length'] !== String(Buffer.byteLength(answer.text))) faults.push('content-length');
  if (answer.headers.etag !== undefined) faults.push('an ETag on an error');
  if (tellsTooMuch(answer.text)) faults.push(`it tells too much: ${answer.text.slice(0, 500)}`);
  return faults;
}

function memberFaults(problem: Record<string, unknown>, status: number): string[] {
  const faults: string[] = [];
  for (const name of ['type', 'title', 'detail', 'code']) {
    if (typeof problem[name] !== 'string' || problem[name] === '') faults.push(`${name} is missing`);
  }
  if (problem['status'] !== status) faults.push(`status is ${String(problem['status'])}`);
  if (problem['title'] !== ERRORS[problem['code'] as ErrorCode]?.title)
    faults.push(`title is ${String(problem['title'])}`);
  return faults;
}

/** A path of the server, or a line of a stack. */
function tellsTooMuch(text: string): boolean {
  return (
    [dataDir, process.cwd(), 'node_modules', 'node:internal', 'file://'].some(each => text.includes(each)) ||
    /\bat \S+ \(|\.[jt]s:\d+/.test(text)
  );
}

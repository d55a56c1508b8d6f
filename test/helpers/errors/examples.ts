/**
 * For each code, calls that it answers, one for each cause that differs from the others: docs/errors.md shows them with
 * the messages that come. Texts in angle brackets stand for keys that the scenes make.
 */
import type { ErrorCode } from '../../../src/errors.js';
import { header, npy } from '../npy.js';
import { CSV, get, NPY, patch, post, put, RAW, remove, type Example, type SceneName } from './example.js';

const WIND = '/v1/datasets/wind';
const DATA = `${WIND}/data`;
const STATISTICS = `${WIND}/statistics`;
const create = (body: unknown, scene: SceneName = 'open'): Example => post('/v1/datasets', body, {}, { scene });
const bearer = (token: string): Record<string, string> => ({ Authorization: `Bearer ${token}` });

export const EXAMPLES: Partial<Record<ErrorCode, readonly Example[]>> = {
  bad_request: [
    get(`${DATA}?slices=0`),
    get(`${DATA}?slice=0&slice=1`),
    get(`${DATA}?endian=middle`),
    get('/v1/datasets?limit=0'),
    get('/v1/datasets?cursor=2'),
    create('{"name": "x", '),
    create({ name: 'x', shape: [2.5] }),
    create({ name: 'x', shap: [2] }),
    create({ name: 'x', shape: [2] }),
    create({ name: 'x', path: 'plain.bin', fill: 0 }),
    create({ name: 'x', mode: 'c' }),
    get(`${STATISTICS}?axis=0`),
    get(`${STATISTICS}?ops=mean&nan=omitt`),
    get(`${STATISTICS}?ops=mean&where={"column":0,"gtt":1}`),
    get(`${STATISTICS}?ops=mean&where={"column":0`),
  ],
  bad_slice: [
    get(`${DATA}?slice=5:a`),
    get(`${DATA}?slice=[0, 1]`),
    get(`${DATA}?slice=`),
    get(`${DATA}?slice=0;1`),
    get(`${WIND}/rows/x`),
    get(`${WIND}/rows?step=0`),
  ],
  bad_json: [
    put(DATA, '[1, 2,, 3]'),
    put(DATA, '[1, 2, NaN]'),
    put(DATA, ''),
    put(DATA, { data: [1, 2, 3] }),
    post(`${WIND}/writes`, { writes: [{ slice: '0', date: 1 }] }),
    post(`${WIND}/writes`, [[0, 1]]),
  ],
  bad_npy: [
    create({ name: 'x', path: 'notes.npy' }),
    create({ name: 'x', path: 'half.npy' }),
    put('/v1/datasets/x', 'an array', NPY),
    put('/v1/datasets/x', npy(header('<f8', '2')), NPY, { words: 'a header with `"shape": 2`' }),
    put(DATA, npy(header('<f8', '()'), 8, 9), NPY, { words: 'a `.npy` of version 9.0' }),
  ],
  bad_table: [
    put('/v1/datasets/x', 'a,b\n1,"2', CSV, { words: 'a quote that is not closed' }),
    put('/v1/datasets/x', 'a,a\n1,2.5\n', CSV, { words: 'two columns of one name' }),
    put('/v1/datasets/x', 'one row', { 'Content-Type': 'application/x-ndjson' }),
  ],
  bad_name: [create({ name: 'größe', dtype: 'f4', shape: [2] })],
  unauthenticated: [
    get('/v1/datasets', {}, { scene: 'keyed' }),
    get('/v1/datasets', bearer('hs_0123_wrong'), { scene: 'keyed' }),
    get('/v1/datasets', bearer('<expired key>'), { scene: 'keyed' }),
    get('/v1/datasets', { Authorization: 'Basic YWRtaW46YWRtaW4=' }, { scene: 'keyed' }),
    get('/v1/datasets', bearer('not.a.token'), { scene: 'tokens' }),
  ],
  forbidden: [
    put(DATA, '1', bearer('<key to read wind*>'), { scene: 'keyed' }),
    post('/v1/datasets', { name: 'rain', dtype: 'f4', shape: [2] }, bearer('<key to write wind*>'), { scene: 'keyed' }),
    post('/v1/datasets', { name: 'wind2', path: 'a.npy' }, bearer('<key to write wind*>'), { scene: 'keyed' }),
    patch(WIND, { mode: 'r' }, bearer('<key to write wind*>'), { scene: 'keyed' }),
  ],
  forbidden_host: [get('/v1/datasets', { Host: 'data.example.org' })],
  forbidden_origin: [put(DATA, '1', { Origin: 'https://app.example.org' })],
  read_only: [put('/v1/datasets/view/data', '1')],
  path_forbidden: [create({ name: 'x', path: '../plain.bin' }), create({ name: 'x', path: '/etc/passwd' })],
  data_folder_refused: [create({ name: 'x', dtype: 'f4', shape: [2] }, 'broken')],
  not_owned: [remove('/v1/datasets/station?data=delete')],
  not_found: [get('/v1/dataset/wind'), get(`${WIND}/dat`)],
  method_not_allowed: [put('/v1/datasets', '{}')],
  unknown_dataset: [get('/v1/datasets/wnid/data')],
  unknown_job: [get('/v1/jobs/0123456789abcdef')],
  file_not_found: [
    create({ name: 'x', path: 'missing.bin' }),
    create({ name: 'x', path: 'no/x.npy', mode: 'w+', dtype: 'f4', shape: [2] }),
  ],
  not_acceptable: [get(`${DATA}?format=xls`), get(DATA, { Accept: 'application/pdf' })],
  unsupported_media_type: [
    put(DATA, '1', { 'Content-Type': 'application/x-www-form-urlencoded' }),
    put(DATA, '1', { 'Content-Type': '' }),
    put(DATA, Buffer.alloc(96), { ...RAW, 'Content-Encoding': 'gzip' }, { words: 'compressed bytes' }),
    put('/v1/datasets/x', '[1]'),
  ],
  range_not_satisfiable: [get(`${WIND}/data.raw`, { Range: 'bytes=96-' })],
  expectation_failed: [put(DATA, '1', { Expect: '200-ok' })],
  exists: [
    create({ name: 'wind', dtype: 'f4', shape: [2] }),
    create({ name: 'kept', dtype: 'f4', shape: [2] }),
    put(WIND, npy(header('<f8', '()'), 8), NPY, { words: 'a `.npy`' }),
  ],
  file_in_use: [
    create({ name: 'x', path: 'station.bin', mode: 'r+' }),
    remove(`${WIND}?data=delete`),
    create({ name: 'x', path: 'arrays/wind.npy', mode: 'w+', overwrite: true, dtype: 'f4', shape: [2] }),
  ],
  copy_on_write: [{ method: 'POST', path: '/v1/datasets/trial/flush' }],
  moved: [get(`${WIND}/data?expected_shape=1000,4`), post(`${WIND}/append?at=3`, [1, 2, 3])],
  bytes_behind: [post('/v1/datasets/longer/append', [1])],
  not_copy_on_write: [{ method: 'POST', path: `${WIND}/discard` }],
  mode_fixed: [patch('/v1/datasets/trial', { mode: 'r+' }), patch('/v1/datasets/view', { mode: 'c' })],
  private_memory_full: [put('/v1/datasets/sketch/data?slice=0:5000', '1')],
  file_changed: [
    get('/v1/datasets/cut/data'),
    get('/v1/datasets/gone/data'),
    get('/v1/datasets/another/data'),
    get('/v1/datasets/resaved/data'),
    get('/v1/datasets/spoilt/data'),
  ],
  generation_moved: [
    put(DATA, '1', { 'If-Match': '"0123456789abcdef01234567.1"' }),
    put(DATA, '1', { 'If-None-Match': '*' }),
  ],
  bad_index: [
    post(`${WIND}/select`, {
      index: [
        [0, 1],
        [0, 1, 2],
      ],
    }),
    post(`${WIND}/select`, { index: ['3'] }),
    post(`${WIND}/select`, { index: [[true, false]] }),
    post(`${WIND}/select`, { mask: 'wind' }),
  ],
  index_out_of_bounds: [get(`${DATA}?slice=4`), get(`${STATISTICS}?ops=mean&group_by={"column":9}`)],
  not_growable: [post('/v1/datasets/scalar/append', 1)],
  outside: [put(`${DATA}?slice=4:`, '[[1, 2, 3]]')],
  too_many_indices: [get(`${DATA}?slice=0,0,0`)],
  result_rank: [get(`${DATA}?slice=${Array.from({ length: 63 }, () => 'newaxis').join()}`)],
  unsupported_dtype: [create({ name: 'x', dtype: 'object', shape: [2] }), create({ name: 'x', path: 'objects.npy' })],
  unknown_field: [
    put('/v1/datasets/visits/data?slice=0', { day: '2024-05-01', name: 'ann' }),
    get('/v1/datasets/visits/data?field=name'),
  ],
  not_tabular: [get(`${DATA}.csv?slice=newaxis,newaxis`)],
  no_npy_header: [get('/v1/datasets/halves/data?format=npy')],
  bad_shape: [
    create({ name: 'x', dtype: 'f4', shape: [-1] }),
    create({ name: 'x', dtype: 'f4', shape: [2, 2], dims: ['y'] }),
    create({ name: 'x', path: 'plain.bin', dtype: 'f8', offset: 1 }),
  ],
  shape_mismatch: [
    put(DATA, [1, 2]),
    put(DATA, [
      [1, 2, 3],
      [1, 2],
    ]),
  ],
  body_size_mismatch: [put(DATA, Buffer.alloc(95), RAW, { words: '95 bytes' })],
  bad_value: [
    put('/v1/datasets/visits/data?slice=0', { day: 'yesterday', who: 'ann' }),
    put('/v1/datasets/visits/data?slice=0', { day: '2024-05-01' }),
    create({ name: 'x', dtype: '<c8', shape: [2], fill: 1 }),
  ],
  would_lose: [
    put('/v1/datasets/visits/data?slice=0', { day: '2024-05-01T23:59', who: 'ann' }),
    put('/v1/datasets/counts/data', [1, 2, 300, 4]),
    put('/v1/datasets/counts/data', '1.5'),
    put('/v1/datasets/counts/data', 'null'),
    put('/v1/datasets/flags/data', '1'),
    put(DATA, '"many"'),
    put('/v1/datasets/counts/data', npy(header('<f8', '()'), 8), NPY, { words: 'a `.npy` of float64' }),
    create({ name: 'x', dtype: 'i4', shape: [2], fill: 'NaN' }),
  ],
  not_an_array: [
    create({ name: 'x', path: 'archive.h5' }),
    put('/v1/datasets/x', `PK\x03\x04${' '.repeat(200)}`, NPY, { words: 'an `.npz`' }),
  ],
  format_mismatch: [
    create({ name: 'x', path: 'named.h5' }),
    create({ name: 'x', path: 'table.npy', format: 'raw', mode: 'r+' }),
    create({ name: 'x', path: 'x.npz', mode: 'w+', dtype: 'f4', shape: [2] }),
    create({ name: 'x', path: 'x.npy', format: 'raw', mode: 'w+', dtype: 'f4', shape: [2] }),
  ],
  member_needed: [create({ name: 'x', path: 'model.safetensors' })],
  unknown_member: [create({ name: 'x', path: 'model.safetensors', member: 'c' })],
  compressed: [create({ name: 'x', path: 'packed.npz' })],
  bad_container: [create({ name: 'x', path: 'archive.npz' }), create({ name: 'x', path: 'lying.safetensors' })],
  header_mismatch: [create({ name: 'x', path: 'table.npy', dtype: 'f4', shape: [3] })],
  file_too_small: [
    create({ name: 'x', path: 'plain.bin', dtype: 'f8', shape: [13] }),
    create({ name: 'x', path: 'plain.bin', offset: 97 }),
  ],
  part_differs: [create({ name: 'x', paths: ['table.npy', 'plain.bin'] })],
  overlap: [create({ name: 'x', path: 'plain.bin', dtype: 'f8', shape: [5, 2], strides: [8, 8], mode: 'r+' })],
  not_a_regular_file: [create({ name: 'x', path: 'folder' })],
  bad_axis: [get(`${STATISTICS}?ops=mean&axis=2`), get(`${STATISTICS}?ops=mean&axis=day`)],
  bad_operation: [
    get(`${STATISTICS}?ops=maen`),
    get(`${STATISTICS}?ops=mean,mean`),
    get(`${STATISTICS}?q=25`),
    get(`${STATISTICS}?bins=0`),
    get(`${STATISTICS}?bins=4&range=3,1`),
    get(`${STATISTICS}?ops=argmin&axis=0,1`),
    get(`${STATISTICS}?ops=mean,std&format=npy`),
    get(`${STATISTICS}?ops=argmin&group_by={"column":0}`),
    get(`${STATISTICS}?ops=mean&slice=0&where={"column":0,"gt":1}`),
    get(`${STATISTICS}?ops=mean&where={"self":true,"gt":1}`),
  ],
  not_aligned: [get(`${STATISTICS}?ops=mean&where={"dataset":"days","gt":0}`)],
  empty_selection: [
    get('/v1/datasets/empty/statistics?ops=min'),
    get(`${STATISTICS}?ops=max&where={"column":0,"gt":9}`),
  ],
  nan_found: [
    get('/v1/datasets/gaps/statistics?ops=mean&nan=raise'),
    get('/v1/datasets/gaps/statistics?bins=4&range=0,1'),
  ],
  too_large: [
    get('/v1/datasets/wide/data'),
    put('/v1/datasets/wide/data', '1'),
    put('/v1/datasets/sketch/data', '1'),
    put('/v1/datasets/sketch/data?slice=0:12288', '1'),
    put(DATA, `[${'1,'.repeat(2 ** 21)}1]`),
    create({ name: 'x', dtype: 'f8', shape: [2 ** 50, 8] }),
    create({ name: 'x', dtype: 'f4', shape: [2], attrs: { note: 'x'.repeat(2 ** 16) } }),
    get('/v1/datasets/wide/statistics?ops=mean&axis=1&slice=:,newaxis'),
    get(`${STATISTICS}?bins=1000000`),
  ],
  head_too_large: [get(`${DATA}?slice=${'0,'.repeat(9000)}`)],
  too_slow: [post('/v1/datasets', '{"name": ', { 'Content-Length': '100' }, { scene: 'stalling' })],
  too_many_requests: [get('/v1/datasets', {}, { scene: 'limited' })],
  too_many_jobs: [post('/v1/jobs', { dataset: 'large', ops: ['max'] }, {}, { scene: 'busy' })],
  keys_unavailable: [get('/v1/datasets', bearer('<token>'), { scene: 'tokens' })],
  busy: [remove('/v1/datasets/coming', { scene: 'busy' })],
  folder_away: [get('/v1/datasets/beyond/data')],
  name_clash: [get('/v1/datasets/a.b/data')],
  from_folder: [remove('/v1/datasets/served')],
  bulk_load: [get('/v1/datasets/loading/rows/0', {}, { scene: 'busy' })],
  quarantined: [get('/v1/datasets/damaged')],
};

/** Codes that no call of an ordinary run brings about, with their messages as the source has them, sentence by sentence; … is a value. */
export const UNPROVOKED: Partial<Record<ErrorCode, readonly (readonly [file: string, message: string])[]>> = {
  file_denied: [
    [
      'src/file/system-errors.ts',
      'The service runs as user …, who may not open the file or its folder this way (…). Give that user the right (chmod, or chown …), or run the service as the user who has it. A file that may be read alone takes mode r',
    ],
  ],
  file_system_refused: [
    [
      'src/registry/inspect.ts',
      'The file is on …, which may lose what it confirmed. Use mode r, or set HYPERSLAB_REMOTE_WRITES=allow.',
    ],
  ],
  busy_writing: [
    ['src/dataset/pieces.ts', 'The dataset was written while the answer was being sent. Repeat the request.'],
    [
      'src/jobs/statistics.ts',
      'The selection is written faster than the statistic can be computed. Repeat the request later, or ask for less of it.',
    ],
  ],
  worker_lost: [
    [
      'src/jobs/lost-worker.ts',
      'The worker thread ended while it computed, and so did a second one. Repeat the request later, or ask for less in one call.',
    ],
  ],
  no_workers: [
    [
      'src/jobs/pool.ts',
      'No thread can be started: the machine is short of memory or of processes, or the service is not whole. Its log says more. Repeat the request later.',
    ],
  ],
  no_kernels: [
    ['src/jobs/pool.ts', 'Statistics cannot be computed here; the log of the service says why.'],
    ['src/jobs/worker.ts', 'Statistics cannot be computed now: …. Repeat the request later.'],
  ],
  shutting_down: [
    ['src/plugins/closing.ts', 'The service is shutting down. Repeat the request in a moment.'],
    ['src/jobs/jobs.ts', 'The service was shut down before the job had ended. Send it again.'],
  ],
  durability_unknown: [
    [
      'src/file/checkpoint.ts',
      'The disk did not confirm the write. Restart the service; it then serves what the disk holds.',
    ],
    [
      'src/file/file-state.ts',
      'The disk failed to confirm an earlier write to this file. Restart the service; it then serves what the disk holds.',
    ],
  ],
  disk_full: [
    ['src/file/system-errors.ts', 'The disk has no room for it. Free space or ask for less, then repeat.'],
    ['src/file/system-errors.ts', 'The disk quota is used up. Free space or ask for less, then repeat.'],
  ],
  io_error: [['src/file/system-errors.ts', 'The storage answered ….']],
  internal: [
    ['src/plugins/errors.ts', 'The service failed. Its log has the details under the x-request-id of this answer.'],
  ],
};

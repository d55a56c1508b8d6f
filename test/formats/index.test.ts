import t from 'tap';
import * as formats from '../../src/formats/index.js';

t.test('json comes first, and no two formats share a name or a media type', async t => {
  const { FORMATS } = formats;
  t.same(
    FORMATS.map(row => row.name),
    ['json', 'raw', 'npy', 'csv', 'ndjson', 'arrow', 'parquet', 'npz', 'png'],
  );
  const mediaTypes = FORMATS.flatMap((row): readonly string[] => row.mediaTypes);
  t.same(mediaTypes, [
    'application/json',
    'application/octet-stream',
    'application/x-npy',
    'text/csv',
    'application/x-ndjson',
    'application/vnd.apache.arrow.stream',
    'application/vnd.apache.parquet',
    'application/x-npz',
    'image/png',
  ]);
  t.equal(new Set(mediaTypes).size, mediaTypes.length);
});

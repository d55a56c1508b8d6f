/** The demo arrays: imported into an empty data folder, and the service's own from then on. */
import fs from 'node:fs';
import path from 'node:path';
import t from 'tap';
import { startServer, temporaryFolder } from './helpers/server.js';
import { describe, json, outcome, type DatasetAnswer } from './system/calls.js';

const env = { HYPERSLAB_DEMO: 'auto' };
const dataDir = temporaryFolder();
t.teardown(() => fs.rmSync(dataDir, { recursive: true }));

t.test('the demo arrays can be written and deleted, and are there once', async t => {
  const server = await startServer({ dataDir, env });
  t.teardown(() => server.stop());
  const { datasets } = (await (
    await server.fetch('/v1/datasets?fields=name,mode,external,attrs,dims,shape')
  ).json()) as {
    datasets: DatasetAnswer[];
  };
  t.ok(datasets.length > 1);
  for (const { name, mode, external, attrs, dims, shape } of datasets) {
    t.match({ mode, external }, { mode: 'r+', external: false }, name);
    t.ok(attrs['title']);
    t.equal(dims?.length, shape.length);
  }
  const [first, second] = datasets.map(({ name }) => name) as [string, string];
  const item = datasets[1]!.shape.map(() => '0').join(',');
  t.equal(await outcome(server.fetch(`/v1/datasets/${second}/data?slice=${item}`, json('PUT', 1))), '200');
  const remove = (name: string, data: string): Promise<string> =>
    outcome(server.fetch(`/v1/datasets/${name}?data=${data}`, { method: 'DELETE' }));
  t.equal(await remove(first, 'delete'), '204');
  t.notOk(fs.existsSync(path.join(dataDir, 'arrays', `${first}.npy`)));
  for (const { name } of datasets.slice(1)) t.equal(await remove(name, 'keep'), '204');
  await server.stop();

  const again = await startServer({ dataDir, env });
  t.teardown(() => again.stop());
  t.equal((await describe(again, first)).name, first, 'imported anew');
  t.match(await outcome(again.fetch(`/v1/datasets/${second}`)), /^404/, 'a file that was kept is not replaced');
});

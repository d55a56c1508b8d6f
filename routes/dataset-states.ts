/** The states of many datasets, each as its file is now. */
import type { Datasets } from '../src/access/datasets.js';
import type { DatasetState } from '../src/dataset/registration.js';
import { Turnstile } from '../src/file/turnstile.js';
import { LIMITS } from '../src/limits.js';
import type { Listed } from '../src/registry/registry.js';

/** Of all lists together: those who read data have most of the disk to themselves. */
const looks = new Turnstile(LIMITS.filesLookedAtMax);

/** A page with the datasets as they are by then: a look may find that one has grown. @throws cancelled */
export function lookAtFiles(
  page: readonly Listed[],
  datasets: Pick<Datasets, 'has' | 'get'>,
  signal: AbortSignal,
): Promise<{ listed: Listed; state: DatasetState }[]> {
  return Promise.all(
    page.map(async listed => {
      const { name, dataset } = listed;
      if (!dataset) return { listed, state: 'quarantined' as const };
      return looks.run(async () => {
        await dataset.refresh();
        const present = datasets.has(name) ? datasets.get(name) : dataset;
        return { listed: { ...listed, dataset: present }, state: await present.state() };
      }, signal);
    }),
  );
}

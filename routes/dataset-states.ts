/** The states of many datasets, each as its file is now. */
import type { DatasetState } from '../src/dataset/dataset.js';
import { Turnstile } from '../src/file/turnstile.js';
import { LIMITS } from '../src/limits.js';
import type { Listed } from '../src/registry/registry.js';

/** Of all lists together: those who read data have most of the disk to themselves. */
const looks = new Turnstile(LIMITS.filesLookedAtMax);

/** @throws cancelled */
export function lookAtFiles(page: readonly Listed[], signal: AbortSignal): Promise<DatasetState[]> {
  return Promise.all(
    page.map(async ({ dataset }) => (dataset ? looks.run(() => dataset.state(), signal) : 'quarantined')),
  );
}

/** The table of contents. */
import type { Registry as Metrics } from 'prom-client';
import type { Context } from '../src/context.js';
import { registerPreconditions } from '../src/plugins/conditional.js';
import { registerPresentLength } from '../src/plugins/present-length.js';
import { registerExpectedShape } from '../src/plugins/expected-shape.js';
import type { App } from './app-type.js';
import { dataset } from './dataset.js';
import { datasetList } from './dataset-list.js';
import { datasets } from './datasets.js';
import { events } from './events.js';
import { growing } from './growing.js';
import { home } from './home.js';
import { importDataset } from './import-dataset.js';
import { jobs } from './jobs.js';
import { operations } from './operations.js';
import { reads } from './reads.js';
import { select } from './select.js';
import { statistics } from './statistics.js';
import { statisticsBatch } from './statistics-batch.js';
import { writes } from './writes.js';
import { zarr } from './zarr.js';

export function routes(app: App, context: Context, metrics: Metrics): void {
  registerPreconditions(app);
  registerExpectedShape(app);
  registerPresentLength(app);
  home(app); //                     GET                        /
  datasets(app); //                 POST                       /v1/datasets
  datasetList(app, context); //     GET                        /v1/datasets
  dataset(app, context); //         GET, PATCH, DELETE         /v1/datasets/:name   POST …/flush  …/discard
  events(app, context); //          GET                        …/events  /v1/events
  importDataset(app, context); //   PUT                        /v1/datasets/:name
  reads(app, context); //           GET                        …/rows/:row  …/rows  …/data
  select(app, context); //          POST                       …/select
  writes(app, context); //          PUT                        …/data   POST …/writes
  growing(app, context); //         POST                       …/append  …/resize
  statistics(app, context); //      GET, POST                  …/statistics
  statisticsBatch(app, context); // POST                       /v1/statistics
  jobs(app, context); //            GET, DELETE                /v1/jobs  /v1/jobs/:id   GET …/events
  zarr(app, context); //            GET                        /zarr/…  /zarr2/…
  operations(app, context, metrics); // GET                    /healthz /readyz /metrics /openapi.json
}

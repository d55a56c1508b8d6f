/** Health, readiness, metrics, and the API document. */
import { Type } from 'typebox';
import type { Registry as Metrics } from 'prom-client';
import type { Context } from '../src/context.js';
import { rankNeeded } from '../src/access/scopes.js';
import { VERSION } from '../src/version.js';
import { problems } from './schemas/index.js';
import type { App } from './app-type.js';

const Named = Type.Object({ name: Type.String(), reason: Type.String() });

export function operations(app: App, context: Context, metrics: Metrics): void {
  app.get(
    '/healthz',
    {
      config: { scope: 'open', isUncounted: true },
      schema: {
        operationId: 'health',
        tags: ['operations'],
        summary: 'The process answers',
        response: { 200: Type.Object({ status: Type.Literal('ok') }) },
      },
    },
    async () => ({ status: 'ok' as const }),
  );

  app.get(
    '/readyz',
    {
      // A balancer has no key; it asks for the status alone.
      config: { scope: 'open' },
      schema: {
        operationId: 'readiness',
        tags: ['operations'],
        summary: 'What is served, how files are mapped, and which datasets are not available',
        description: 'Without the scope read, the status alone.',
        response: {
          200: Type.Object({
            status: Type.Literal('ready'),
            ...Type.Partial(
              Type.Object({
                version: Type.String(),
                mapping: Type.String({ description: 'How most files are read: mmap-io, koffi or positional.' }),
                mappings: Type.Array(Type.String(), { description: 'All ways to map, the preferred one first.' }),
                kernels: Type.String({
                  description: 'What statistics are computed with: wasm, or scalar, which is slow and as exact.',
                }),
                workers: Type.Integer(),
                datasets: Type.Integer(),
                quarantined: Type.Array(Named),
                durability_unknown: Type.Array(Type.String()),
              }),
            ).properties,
          }),
          ...problems(),
        },
      },
    },
    async ({ principal, datasets }) => ({
      status: 'ready' as const,
      ...(principal.rank >= rankNeeded('read') && {
        version: VERSION,
        mapping: context.mappings[0] ?? 'positional',
        mappings: [...context.mappings],
        kernels: context.pool.kernels,
        workers: context.config.workers,
        datasets: datasets.size,
        quarantined: datasets.quarantined,
        durability_unknown: datasets.namesOf(context.files.failedFileIds),
      }),
    }),
  );

  app.get(
    '/metrics',
    {
      config: { scope: 'read' },
      schema: {
        operationId: 'metrics',
        tags: ['operations'],
        summary: 'Prometheus metrics',
        response: {
          200: { description: 'Text format', content: { 'text/plain': { schema: { type: 'string' } } } },
          ...problems(),
        },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );

  // What the project publishes anyway.
  app.get('/openapi.json', { config: { scope: 'open' }, schema: { hide: true } }, async (_request, reply) =>
    reply.send(app.swagger()),
  );
}

/** Health, readiness, metrics, and the API document. */
import { Type } from 'typebox';
import type { Registry as Metrics } from 'prom-client';
import type { Context } from '../src/context.js';
import { VERSION } from '../src/version.js';
import type { App } from './app-type.js';

const Named = Type.Object({ name: Type.String(), reason: Type.String() });

export function operations(app: App, context: Context, metrics: Metrics): void {
  app.get(
    '/healthz',
    {
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
      schema: {
        operationId: 'readiness',
        tags: ['operations'],
        summary: 'What is served, how files are mapped, and which datasets are not available',
        response: {
          200: Type.Object({
            status: Type.Literal('ready'),
            version: Type.String(),
            mapping: Type.String({ description: 'How most files are read: mmap-io, koffi or positional.' }),
            mappings: Type.Array(Type.String(), { description: 'All ways to map, the preferred one first.' }),
            workers: Type.Integer(),
            datasets: Type.Integer(),
            quarantined: Type.Array(Named),
            durability_unknown: Type.Array(Type.String()),
          }),
        },
      },
    },
    async () => ({
      status: 'ready' as const,
      version: VERSION,
      mapping: context.mappings[0] ?? 'positional',
      mappings: [...context.mappings],
      workers: context.config.workers,
      datasets: context.registry.size,
      quarantined: context.registry.quarantined,
      durability_unknown: context.registry.namesOf(context.files.failedFileIds),
    }),
  );

  app.get(
    '/metrics',
    {
      schema: {
        operationId: 'metrics',
        tags: ['operations'],
        summary: 'Prometheus metrics',
        response: { 200: { description: 'Text format', content: { 'text/plain': { schema: { type: 'string' } } } } },
      },
    },
    async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()),
  );

  app.get('/openapi.json', { schema: { hide: true } }, async (_request, reply) => reply.send(app.swagger()));
}

/**
 * `expected_shape=1000,4` on every call of a dataset: 409 where it has another one. The parameter is given to each route
 * below `/v1/datasets/:name` when it is added, and to the one that makes jobs, so that no call goes without.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { Type, type TObject } from 'typebox';
import { expecting, parseExpectedShape } from '../access/expecting.js';

const EXPECTED_SHAPE = Type.Optional(
  Type.String({
    description:
      'The shape that the dataset has to have, as it is described (before `field=`): 1000,4, and blank for a scalar. ' +
      'Answered 409 `moved`, with the shape that it has, before anything is read or changed.',
  }),
);

const OF_DATASET = /^\/v1\/datasets\/:name(\/|$)/;
const NAMES_ITS_DATASET = new Set(['/v1/jobs']);

export function registerExpectedShape(app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    const isOfDataset = OF_DATASET.test(route.url);
    const isNamed = NAMES_ITS_DATASET.has(route.url) && route.method === 'POST';
    if (!isOfDataset && !isNamed) return;
    const { properties } = (route.schema?.querystring ?? { properties: {} }) as TObject;
    // The routes of HEAD that Fastify makes of those of GET have it already.
    if ('expected_shape' in properties) return;
    const querystring = Type.Object({ ...properties, expected_shape: EXPECTED_SHAPE }, { additionalProperties: false });
    route.schema = { ...route.schema, querystring };
    const ask = (request: FastifyRequest, _reply: unknown, done: () => void): void => {
      const { expected_shape: text } = request.query as { expected_shape?: string };
      if (text !== undefined) {
        const { name } = request.params as { name?: string };
        expect(request, name ?? (request.body as { dataset: string }).dataset, text);
      }
      done();
    };
    route.preHandler = [ask, ...[route.preHandler ?? []].flat()];
  });
}

/** The request reaches the dataset only while it has that shape. @throws bad_request, moved */
function expect(request: FastifyRequest, name: string, text: string): void {
  const expected = { name, shape: parseExpectedShape(text) };
  request.datasets = expecting(request.datasets, expected);
  // What reads the body first, or answers from headers alone, is refused before.
  if (request.datasets.has(name)) request.datasets.get(name);
}

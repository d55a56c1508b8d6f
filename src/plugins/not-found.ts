/** Paths that are not part of the API: 404, and 405 with the methods to use where only the method is wrong. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { HyperslabError } from '../errors.js';
import { sendProblem } from './errors.js';

/** Register before the routes, whose paths and methods are gathered, and after the hooks that may refuse a request. */
export function registerNotFound(app: FastifyInstance): void {
  const known = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    if (url.includes('*')) return;
    const methods = known.get(url) ?? new Set();
    known.set(url, methods);
    for (const each of Array.isArray(method) ? method : [method]) methods.add(each);
  });
  const answer = (request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const allowed = methodsOf(known, request.url.split('?', 1)[0]!);
    if (allowed.length === 0) {
      const detail = `${request.method} on this path is not part of the API. See /docs or /openapi.json.`;
      return sendProblem(reply, new HyperslabError('not_found', detail));
    }
    reply.header('allow', allowed.join(', '));
    const detail = `This path takes ${allowed.join(', ')}, not ${request.method}. See /docs.`;
    return sendProblem(reply, new HyperslabError('method_not_allowed', detail, { allowed }));
  };
  // Before a body is looked at, whose media type no route could know.
  app.addHook('onRequest', (request, reply, done) => {
    if (request.is404) answer(request, reply);
    else done();
  });
  app.setNotFoundHandler(answer);
}

function methodsOf(known: ReadonlyMap<string, ReadonlySet<string>>, path: string): string[] {
  const parts = path.split('/');
  const found = [...known].find(([url]) => {
    const wanted = url.split('/');
    return (
      wanted.length === parts.length &&
      wanted.every((each, i) => each === parts[i] || (each.startsWith(':') && parts[i] !== ''))
    );
  });
  return found ? [...found[1]].sort() : [];
}

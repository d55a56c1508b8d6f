/**
 * Conditional requests (RFC 9110, 13), decided from headers alone: no data is read for a 304 or 412.
 * A header that cannot be read as `*` or a list of entity tags matches nothing; where that would let a change through, it
 * is refused instead. If-Match compares strongly: a weak tag never matches. A coding behind a tag tells apart what is
 * sent, not what it says: for a change any of them will do.
 */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Precondition, Standing } from '../dataset/precondition.js';
import { fail } from '../errors.js';
import { shown } from '../shown.js';
import { acceptedCodings } from './accept-encoding.js';
import { codedTag, splitTag, type CodingName } from './codings.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** The handler asks for the preconditions itself, since it knows what they are about. */
    asksPreconditions?: boolean;
  }
}

interface Tag {
  readonly isWeak: boolean;
  /** Without the quotes and the coding. */
  readonly value: string;
  readonly coding: CodingName | undefined;
}

/** One element of a list, which may be empty, with its comma. */
const ELEMENT = /[\t ]*(?:(W\/)?"([^"]*)")?[\t ]*(,|$)/y;

/** Undefined where the header is neither `*` nor a list of entity tags. */
function parseTags(header: string): '*' | readonly Tag[] | undefined {
  if (header.trim() === '*') return '*';
  const tags: Tag[] = [];
  ELEMENT.lastIndex = 0;
  for (let last = ','; last === ',';) {
    const match = ELEMENT.exec(header);
    if (!match) return undefined;
    if (match[2] !== undefined) {
      const { plain, coding } = splitTag(match[2]);
      tags.push({ isWeak: match[1] !== undefined, value: plain, coding });
    }
    last = match[3]!;
  }
  return tags.length > 0 ? tags : undefined;
}

/** `"<id>.<generation>.<format>"`. */
export function entityTag(id: string, generation: number, format: string): string {
  return `"${id}.${generation}.${format}"`;
}

/**
 * True when If-None-Match of a read is `*`, or lists this tag (weak comparison) in a coding that the client takes; without
 * a tag, when it is `*`. The answer has the tag that was listed, then: a client that keeps several knows which one holds.
 */
export function isUnchanged(reply: FastifyReply, tag: string | undefined): boolean {
  const { headers } = reply.request;
  const { 'if-none-match': header } = headers;
  if (header === undefined) return false;
  const tags = parseTags(header);
  if (tags === '*') return true;
  const { names, takesIdentity } = acceptedCodings(headers);
  const found = tags?.find(
    ({ value, coding }) => `"${value}"` === tag && (coding === undefined ? takesIdentity : names.has(coding)),
  );
  if (found?.coding) reply.header('etag', codedTag(tag!, { name: found.coding }));
  return found !== undefined;
}

/** True when If-Match lists this tag (strong comparison), in any coding. */
export function listsTag(header: string, tag: string): boolean {
  const tags = parseTags(header);
  return tags !== '*' && (tags?.some(({ isWeak, value }) => !isWeak && `"${value}"` === tag) ?? false);
}

/** True for the tag of a dataset's state: `<id>.<generation>`, with or without a format behind it. */
function isOf(value: string, standing: Standing): boolean {
  if (standing === undefined || standing === 'untagged') return false;
  const wanted = `${standing.id}.${standing.generation}`;
  return value === wanted || value.startsWith(`${wanted}.`);
}

/**
 * Checks If-Match. Tags are `"<id>.<generation>"`; a format behind it does not matter. @throws generation_moved
 */
export function checkIfMatch(header: string | undefined, standing: Standing): void {
  if (header === undefined) return;
  const tags = parseTags(header);
  if (tags === '*' ? standing !== undefined : tags?.some(({ isWeak, value }) => !isWeak && isOf(value, standing)))
    return;
  const state = textOf(standing);
  if (standing === undefined) {
    failMoved('If-Match asks for a dataset that is there, and none has this name. Leave it out to make one.', standing);
  }
  if (tags === undefined) {
    failMoved(
      `If-Match is ${shown(header)}; it takes *, or entity tags in double quotes with commas between. ${state}`,
      standing,
    );
  }
  if (tags !== '*' && tags.some(({ value }) => isOf(value, standing))) {
    failMoved(
      `${state} The tag in If-Match is the same, but weak (W/), and weak tags never match. Something between made it ` +
        'weak, most often a proxy that compresses answers: turn that off for this service (nginx: gzip off;). ' +
        'Until then send the tag without W/.',
      standing,
      { reason: 'weak' },
    );
  }
  failMoved(`${state} Read it again, then repeat the request with that tag.`, standing);
}

/** If-None-Match where it guards a change. @throws generation_moved, bad_request */
function checkIfNoneMatch(header: string | undefined, standing: Standing): void {
  if (header === undefined) return;
  const tags = parseTags(header);
  if (tags === undefined) {
    fail(
      'bad_request',
      `If-None-Match is ${shown(header)}; it takes *, or entity tags in double quotes with commas between. Nothing was changed.`,
      { header: 'if-none-match' },
    );
  }
  if (tags === '*') {
    if (standing === undefined) return;
    const remedy = 'Leave the header out to change what is there, or choose another name.';
    failMoved(
      `If-None-Match: * asks that nothing has this name, and something has. ${textOf(standing)} ${remedy}`,
      standing,
    );
  }
  if (tags.some(({ value }) => isOf(value, standing))) {
    failMoved(
      `${textOf(standing)} If-None-Match asks for any other state. Leave it out, or wait for a change.`,
      standing,
    );
  }
}

function textOf(standing: Standing): string {
  if (standing === undefined) return '';
  if (standing === 'untagged') return 'It has no entity tag, and only * stands for it.';
  return `The dataset is at "${standing.id}.${standing.generation}".`;
}

function failMoved(detail: string, standing: Standing, more: object = {}): never {
  const isTagged = standing !== undefined && standing !== 'untagged';
  return fail('generation_moved', detail, {
    current: isTagged ? `"${standing.id}.${standing.generation}"` : null,
    generation: isTagged ? standing.generation : null,
    ...more,
  });
}

/** What a request that changes something asks of the state that it finds. It holds the headers, and no request. */
export function preconditionOf({ headers }: Pick<FastifyRequest, 'headers'>): Precondition {
  const { 'if-match': ifMatch, 'if-none-match': ifNoneMatch } = headers;
  return standing => {
    checkIfMatch(ifMatch, standing);
    checkIfNoneMatch(ifNoneMatch, standing);
  };
}

/**
 * The conditions of a request whose answer has no entity tag. True where it has been answered: 304, for a read that is
 * wanted only while there is nothing. @throws generation_moved
 */
export function answeredUntagged(request: FastifyRequest, reply: FastifyReply, standing: Standing): boolean {
  const { method, headers } = request;
  if (method !== 'GET' && method !== 'HEAD') {
    preconditionOf(request)(standing);
    return false;
  }
  checkIfMatch(headers['if-match'], standing);
  if (!isUnchanged(reply, undefined)) return false;
  void reply.code(304).send();
  return true;
}

/** Routes that do not ask for the preconditions themselves have no entity tags: lists, batches, operations. */
export function registerPreconditions(app: FastifyInstance): void {
  app.addHook('onRoute', route => {
    if (route.config?.asksPreconditions) return;
    const ask = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
      if (!answeredUntagged(request, reply, 'untagged')) done();
    };
    route.preHandler = [ask, ...[route.preHandler ?? []].flat()];
  });
}

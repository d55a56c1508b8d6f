/** What a browser calls an answer that it keeps. Names of datasets hold nothing that would need quoting. */
import type { FastifyReply } from 'fastify';
import type { FormatRow } from '../formats/index.js';

export function setFileName(reply: FastifyReply, dataset: string, { name, disposition }: FormatRow): void {
  reply.header('content-disposition', `${disposition}; filename="${dataset}.${name}"`);
}

/** What all kinds of write have in common: parameters, errors, and what is asked again when it is their turn. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { Datasets } from '../src/access/datasets.js';
import { checkWritable } from '../src/dataset/write.js';
import { fail, type ErrorCode } from '../src/errors.js';
import type { Dataset } from '../src/dataset/dataset.js';
import type { Precondition } from '../src/dataset/precondition.js';
import { signalOf } from '../src/plugins/client-gone.js';
import { preconditionOf } from '../src/plugins/conditional.js';
import type { WriteRequest } from '../src/transfer/write.js';
import { BODY_PROBLEMS, DATASET_PROBLEMS, oneOf } from './schemas/index.js';
import type { ClientContext } from '../src/context.js';
import type { DecodingContext } from '../src/transfer/decoded.js';
import { bodyLength } from './streamed-bodies.js';

export const ENDIAN = Type.Optional(oneOf(['little', 'big'], { description: 'Byte order of raw bytes.' }));

export const WRITE_PROBLEMS: readonly ErrorCode[] = [
  ...DATASET_PROBLEMS,
  ...BODY_PROBLEMS,
  'bad_slice',
  'bad_json',
  'bad_npy',
  'bad_table',
  'not_an_array',
  'read_only',
  'unsupported_media_type',
  'unsupported_dtype',
  'unknown_field',
  'index_out_of_bounds',
  'outside',
  'too_many_indices',
  'result_rank',
  'shape_mismatch',
  'bad_shape',
  'body_size_mismatch',
  'bad_value',
  'would_lose',
  'too_large',
  'bulk_load',
  'busy',
  'worker_lost',
  'no_workers',
  'private_memory_full',
  'disk_full',
];

/** What bodies of tables are decoded with. */
export function decodingContext({ workers, budget, files }: ClientContext): DecodingContext {
  return { workers, budget, folder: files.arraysDir };
}

/** What every write asks for, beside the body. */
export function requestOf(
  request: FastifyRequest,
  reply: FastifyReply,
  dataset: Dataset,
  endian: 'little' | 'big' | undefined,
): Pick<WriteRequest, 'dataset' | 'endian' | 'bodyBytes' | 'precondition' | 'asksShape' | 'signal'> {
  return {
    dataset,
    endian: endian && (endian === 'big' ? '>' : '<'),
    bodyBytes: bodyLength(request),
    signal: signalOf(reply),
    asksShape: (request.query as { expected_shape?: string }).expected_shape !== undefined,
    precondition: stillWritable(request.datasets, dataset, preconditionOf(request)),
  };
}

/** What is asked again when it is the write's turn: the dataset may have been forgotten or changed meanwhile. */
function stillWritable(
  datasets: Pick<Datasets, 'get'>,
  { record }: Dataset,
  precondition: Precondition,
): (generation: number) => void {
  return generation => {
    const current = datasets.get(record.name);
    checkWritable(current);
    if (current.record.id !== record.id) {
      fail('file_changed', 'The dataset was replaced while the body was read. Repeat the request.', {
        reason: 'replaced',
      });
    }
    precondition({ id: record.id, generation });
  };
}

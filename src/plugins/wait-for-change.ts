/** A call that waits until a dataset has another generation, for clients without server-sent events. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import { HyperslabError } from '../errors.js';
import type { Following } from '../following/following.js';
import { signalOf } from './client-gone.js';

interface Wait {
  readonly name: string;
  /** The generation that the caller knows. */
  readonly generation: number;
  readonly seconds: number;
}

/**
 * Until the generation is another one, the time is over, or nobody waits any more.
 * @throws unknown_dataset when the dataset goes; unauthenticated or forbidden when the key does; busy, shutting_down
 */
export async function waitForChange(
  following: Following,
  request: FastifyRequest,
  reply: FastifyReply,
  { name, generation, seconds }: Wait,
): Promise<void> {
  const hasMoved = (): boolean => request.datasets.get(name).generation !== generation;
  await request.datasets.get(name).lookAgain();
  if (hasMoved()) return;
  const signal = signalOf(reply);
  if (signal.aborted) return;
  let leave = (): void => {};
  let timer: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      const settle = (): void => {
        try {
          if (hasMoved()) resolve();
        } catch (error) {
          reject(error);
        }
      };
      leave = following.follow([name], {
        // In a turn of its own: the counter moves in the middle of a commit.
        changed: (_name, isGone) => setImmediate(isGone ? resolve : settle),
        recheck: () => {
          request
            .datasetsNow()
            .then(datasets => void datasets.get(name), reject)
            .catch(reject);
        },
        close: () => {
          reply.header('connection', 'close');
          const detail = 'The service is shutting down. Repeat the request in a moment.';
          reject(new HyperslabError('shutting_down', detail));
        },
      });
      timer = setTimeout(resolve, seconds * 1000);
      signal.addEventListener('abort', () => resolve());
    });
  } finally {
    clearTimeout(timer);
    leave();
  }
}

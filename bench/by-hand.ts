/** HTTP by hand over sockets that are kept, since Node's client costs more than the servers do. */
import { once } from 'node:events';
import net from 'node:net';

/** As many connections. */
export function connectAll({ hostname, port }: URL, count: number): Promise<net.Socket[]> {
  return Promise.all(
    Array.from({ length: count }, async () => {
      const socket = net.connect(Number(port), hostname);
      await once(socket, 'connect');
      return socket.setNoDelay(true);
    }),
  );
}

/** Whole answers, one after the other. */
export async function* answersOf(socket: net.Socket): AsyncGenerator<string, undefined> {
  let text = '';
  for await (const part of socket as AsyncIterable<Buffer>) {
    text += part.toString('latin1');
    const bodyStart = text.indexOf('\r\n\r\n') + 4;
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(text)?.[1]);
    if (bodyStart < 4 || !(text.length >= bodyStart + length)) continue;
    yield text.slice(0, bodyStart + length);
    text = text.slice(bodyStart + length);
  }
  return undefined;
}

/** In the unit of the values. */
export function spreadOf(values: readonly number[]): { p50: number; p99: number } {
  const sorted = [...values].sort((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(share * (sorted.length - 1))] ?? Number.NaN;
  return { p50: at(0.5), p99: at(0.99) };
}

/** A request by node:http(s), for headers that fetch sets by itself (Host, Origin) and for certificates of a test. */
import { once } from 'node:events';
import http from 'node:http';
import https from 'node:https';
import { text } from 'node:stream/consumers';

export interface RawAnswer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: string;
}

export async function rawRequest(
  url: string,
  { body, ...options }: https.RequestOptions & { body?: string | Uint8Array | undefined } = {},
): Promise<RawAnswer> {
  const client = url.startsWith('https:') ? https : http;
  const request = client.request(url, { agent: false, ...options });
  request.end(body);
  const [response] = (await once(request, 'response')) as [http.IncomingMessage];
  return { status: response.statusCode!, headers: response.headers, body: await text(response) };
}

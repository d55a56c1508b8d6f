/** Requests as they go over a connection, for tests that do with it what no HTTP client does. */

export function getText(where: string): string {
  return `GET ${where} HTTP/1.1\r\nhost: localhost\r\n\r\n`;
}

/** The head of a request whose body has so many bytes, or comes in chunks. */
export function headText(method: string, where: string, length: number | 'chunked', type = 'application/json'): string {
  const framing = length === 'chunked' ? 'transfer-encoding: chunked' : `content-length: ${length}`;
  return `${method} ${where} HTTP/1.1\r\nhost: localhost\r\ncontent-type: ${type}\r\n${framing}\r\n\r\n`;
}

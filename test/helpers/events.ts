/** Server-sent events, parsed as the HTML standard says. */

export interface ServerEvent {
  /** Undefined for a comment. */
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly data: string;
}

/** The events of a body as they come; ends when it does. */
export async function* eventsOf(body: AsyncIterable<Uint8Array>): AsyncGenerator<ServerEvent, void> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const part of body) {
    text += decoder.decode(part, { stream: true });
    for (let end = text.indexOf('\n\n'); end >= 0; end = text.indexOf('\n\n')) {
      yield parse(text.slice(0, end));
      text = text.slice(end + 2);
    }
  }
  if (text !== '') throw new Error(`the stream ended in an event: ${text}`);
}

function parse(block: string): ServerEvent {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name = '', value = ''] = /^([^:]*):? ?(.*)$/.exec(line) ?? [];
    fields.set(name, fields.has(name) ? `${fields.get(name)!}\n${value}` : value);
  }
  const isComment = fields.has('') && fields.size === 1;
  return {
    event: isComment ? undefined : (fields.get('event') ?? 'message'),
    id: fields.get('id'),
    data: fields.get(isComment ? '' : 'data') ?? '',
  };
}

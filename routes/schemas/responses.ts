/** Answers with their headers, and bodies that are not parsed but read as they come. */
import { Type } from 'typebox';
import type { FormatRow } from '../../src/formats/index.js';
import { BINARY, int64 } from './common.js';

export const HEADERS = {
  'X-Dataset-Generation': int64({ description: 'The generation that the answer is of.' }),
  'X-Array-Dtype': Type.String({ description: 'The type of the elements, such as <f4.' }),
  'X-Array-Shape': Type.String({ description: 'The length of each axis, such as 100,50; empty for rank 0.' }),
  ETag: Type.String({ description: 'For If-None-Match and If-Match; absent where other programs may write the file.' }),
  'Cache-Control': Type.String({ description: 'no-store, no-transform: nobody may gather, code or keep it.' }),
  Location: Type.String({ description: 'Relative URL of what was made.' }),
  'X-Cache': Type.String({ description: 'hit, partial or miss: how much was known from before.' }),
  'Content-Disposition': Type.String({ description: 'A name for the file.' }),
  'Content-Range': Type.String({ description: 'Which bytes these are, of how many.' }),
  'X-Coarsen': Type.String({
    description: 'How many elements became a pixel along each axis, where a picture was coarsened.',
  }),
  'Accept-Ranges': Type.String({ description: 'bytes, where a Range can be asked for.' }),
  'Preference-Applied': Type.String({ description: 'respond-async, where that was preferred.' }),
} as const;

export type HeaderName = keyof typeof HEADERS;

/** Headers of a response. */
export function headers(...names: readonly HeaderName[]): { headers: Record<string, object> } {
  return { headers: Object.fromEntries(names.map(name => [name, HEADERS[name]])) };
}

/** A 200-like response with one JSON component. */
export function jsonResponse(description: string, component: string, ...names: readonly HeaderName[]): object {
  return {
    description,
    ...(names.length > 0 && headers(...names)),
    content: { 'application/json': { schema: Type.Ref(component) } },
  };
}

/** The content of an answer in any of some formats: JSON is a component, the others are bytes. */
export function answerIn(formats: readonly FormatRow[], component: string): Record<string, object> {
  const contentOf = ({ name, mediaTypes }: FormatRow): [string, object] => [
    mediaTypes[0]!,
    { schema: name === 'json' ? Type.Ref(component) : BINARY },
  ];
  return Object.fromEntries(formats.map(contentOf));
}

/** For ids of operations: Npy. */
export function capitalised(name: string): string {
  return `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`;
}

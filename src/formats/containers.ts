/**
 * What a file is, by its first bytes and by its name: .npy, or a container that would be served as noise and spoilt by a
 * write.
 */
import { CONTAINERS, NPY, signatureIn, type Container } from '../containers.js';

const SAFETENSORS = CONTAINERS.find(({ suffixes }) => suffixes.includes('.safetensors'))!;

/** Bytes of a file that tell what it is. */
export const SIGNATURE_BYTES = 2048 + 16;

/** What begins like this, in a file of so many bytes; and how many of them an array can surely not begin before. */
export function containerOf(head: Uint8Array, size: number): { row: Container; headerBytes: number } | undefined {
  const found = signatureIn(head);
  if (found) return { row: found.row, headerBytes: found.row === NPY ? npyBytes(head) : found.end };
  const headerBytes = safetensorsBytes(head);
  return headerBytes !== undefined && headerBytes <= size ? { row: SAFETENSORS, headerBytes } : undefined;
}

/** What a name says; a suffix that several kinds have is any of them. */
export function containersNamed(name: string): readonly Container[] {
  const suffix = suffixOf(name);
  return CONTAINERS.filter(({ suffixes }) => suffixes.includes(suffix));
}

/** `.npy` of `folder/A.NPY`; blank where there is none. */
export function suffixOf(name: string): string {
  return /[^/](\.[^./]*)$/.exec(name)?.[1]?.toLowerCase() ?? '';
}

function npyBytes(head: Uint8Array): number {
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  if (head.byteLength < 12) return 12;
  return head[6] === 1 ? 10 + view.getUint16(8, true) : 12 + view.getUint32(8, true);
}

/** The length of a header of JSON, then the header, which describes tensors by these words. */
function safetensorsBytes(head: Uint8Array): number | undefined {
  if (head.byteLength < 10) return undefined;
  const length = new DataView(head.buffer, head.byteOffset, 8).getBigUint64(0, true);
  const text = Buffer.from(head.buffer, head.byteOffset + 8, head.byteLength - 8).toString('latin1');
  const isHeader = /^\{\s*(\}|"(__metadata__|[^"]*)"\s*:\s*\{)/.test(text);
  return isHeader && length >= 2n && length < 2n ** 40n ? 8 + Number(length) : undefined;
}

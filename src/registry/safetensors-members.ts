/** The tensors of a .safetensors file. */
import { parseDType } from '../dtype/index.js';
import { fail } from '../errors.js';
import { readFully } from '../file/io.js';
import { headerLengthOf, LENGTH_BYTES, tensorsOf, typestrOfTensor, type Tensor } from '../formats/index.js';
import { checkShape } from '../layout/view.js';
import { LIMITS } from '../limits.js';
import { shown } from '../shown.js';
import { runTurns } from '../turns.js';
import type { Member, MemberArray } from './member.js';

/** @throws bad_container */
export async function safetensorsMembers(fd: number, fileBytes: number): Promise<readonly Member[]> {
  const head = Buffer.alloc(Math.min(LENGTH_BYTES, fileBytes));
  await readFully(fd, head, 0);
  const json = Buffer.allocUnsafe(headerLengthOf(head, fileBytes, LIMITS.containerIndexBytesMax));
  await readFully(fd, json, LENGTH_BYTES);
  const tensors = await runTurns(tensorsOf(json, fileBytes));
  return tensors.map(tensor => ({ name: tensor.name, array: async () => arrayOf(tensor) }));
}

/** @throws unsupported_dtype, bad_shape, too_large */
export function arrayOf({ name, dtype: asked, shape, start }: Tensor): MemberArray {
  const typestr = typestrOfTensor(asked);
  if (typestr === undefined) {
    fail(
      'unsupported_dtype',
      `The tensor ${shown(name)} has dtype ${shown(asked)}, which numpy does not have. Save it as F32 or F16, or register its ` +
        `bytes with "format": "raw", "dtype": "|u1" and "offset": ${start}.`,
      {
        member: name.slice(0, 200),
        dtype: asked.slice(0, 80),
        instead: { format: 'raw', dtype: '|u1', offset: start },
      },
    );
  }
  const dtype = parseDType(typestr);
  checkShape(shape, dtype.itemsize);
  return { dtype, shape, order: 'C', offset: start };
}

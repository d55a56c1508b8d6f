/** A body that is no .npy, taken as the one that it means: all that is said of those is said of it, too. */
import type { DecodingAsked, DecodingName } from '../formats/index.js';
import { openDecoded, type DecodingContext, type NpyBody, type OpenNpyBody } from './decoded.js';
import type { ComingBody } from './lay-down.js';
import { openNpz } from './npz-body.js';

/** What is asked of a body in one of these formats. */
export type OtherForm =
  | { readonly format: DecodingName; readonly asked: DecodingAsked }
  | { readonly format: 'npz'; readonly member: string | undefined };

/** Reads all of it. The caller closes what comes. @throws bad_table, bad_npy, unknown_field, disk_full */
export function openAsNpy(form: OtherForm, coming: ComingBody, context: DecodingContext): Promise<OpenNpyBody> {
  return form.format === 'npz'
    ? openNpz({ ...coming, member: form.member }, context)
    : openDecoded({ ...coming, ...form }, context);
}

/** The same for the time of `work`. */
export async function withNpy<T>(
  form: OtherForm,
  coming: ComingBody,
  context: DecodingContext,
  work: (npy: NpyBody) => Promise<T>,
): Promise<T> {
  const npy = await openAsNpy(form, coming, context);
  try {
    return await work(npy);
  } finally {
    await npy.close();
  }
}

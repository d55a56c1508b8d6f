/** Which file a dataset means, and how it uses it. */
export interface FileReference {
  readonly fileId: string;
  readonly realPath: string;
  readonly writable: boolean;
  /** Of the dataset that asks: once it is forgotten, nobody may bring its file back. */
  readonly registration: { readonly isForgotten: boolean };
  /** Bytes that say what the array is, and whether they still say it; a raw file has none. */
  readonly header?: { readonly bytes: number; readonly isIts: (head: Uint8Array) => boolean } | undefined;
}

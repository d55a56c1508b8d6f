/** What this process has done so far: counted where it happens, read by /metrics and at the end of the process. */

export const traffic = {
  /** Requests whose answers are not with the kernel yet. */
  underWay: 0,
  /** Connections that are open. */
  connections: 0,
  /** Bytes of arrays that statistics have read. */
  scannedBytes: 0,
  /** Bytes of elements that writes and imports have put into array files. */
  writtenBytes: 0,
  /** Statistics by how much of their answer had not to be read. */
  statistics: { hit: 0, partial: 0, miss: 0 },
  /** Problem documents by code. */
  problems: {} as Record<string, number>,
  /** Requests whose key or token did not hold. */
  refusedCredentials: 0,
};

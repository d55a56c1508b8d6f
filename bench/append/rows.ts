/** What is appended: rows of 4 kB. */
export const ROW_BYTES = 4096;
export const COLUMNS = ROW_BYTES / 4;

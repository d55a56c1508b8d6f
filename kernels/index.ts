/**
 * The kernels: AssemblyScript, a dialect of TypeScript, compiled by `npm run build` into one WebAssembly module. One file
 * per family; numbers that callers need, too, stand in src/kernels. Rules for all: pointers are bytes and
 * may be unaligned; nothing is allocated, so every pointer comes from the caller; static data stays below 64 KiB; a vector
 * constant in a hot loop is loaded once from memory; what must be inlined is a static method marked @inline, since
 * decorators on functions are no TypeScript.
 */
export * from './accumulators/ends';
export * from './accumulators/powers';
export * from './accumulators/product';
export * from './blocks';
export * from './cells';
export * from './convert';
export * from './digits';
export * from './groups';
export * from './histogram';
export * from './key-ranges';
export * from './key-tables';
export * from './masks';
export * from './rows';
export * from './runs';
export * from './scales';
export * from './texts';
export * from './times';

/** What constants.ts and its neighbours say of numbers for the compiler of the kernels; to TypeScript they are numbers. */
type i32 = number;
type u32 = number;
type usize = number;

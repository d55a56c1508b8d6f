/** What is used of WebAssembly: TypeScript declares it with the rest of a browser only. */
declare namespace WebAssembly {
  class Memory {
    constructor(descriptor: { readonly initial: number; readonly maximum?: number });
    /** All of it, until it grows. */
    readonly buffer: ArrayBuffer;
  }

  /** Compiled code, which may be sent to other threads. */
  class Module {
    /** Nothing else is a module. */
    private readonly isModule: true;
    constructor(bytes: Uint8Array<ArrayBuffer>);
    static exports(module: Module): { readonly name: string; readonly kind: string }[];
    static imports(module: Module): { readonly module: string; readonly name: string; readonly kind: string }[];
  }

  class Instance {
    constructor(module: Module, imports: Readonly<Record<string, Readonly<Record<string, Memory>>>>);
    readonly exports: Readonly<Record<string, unknown>>;
  }
}

/** A worker whose task takes a moment and gives back what it was given. */
export default async function echo(task: object): Promise<object> {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
  return task;
}

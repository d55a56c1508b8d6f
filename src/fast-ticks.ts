/**
 * Keeps process.nextTick fast. Its object literal is compiled for the shape that V8 saw first, and that shape is held
 * weakly: a garbage collection while no tick is pending forgets it, and every tick from then on takes the slow path,
 * 200 to 300 ns instead of 40, several times per request (measured on Node 20). One tick object kept alive prevents it.
 */
import { executionAsyncResource } from 'node:async_hooks';

const kept: object[] = [];

export function keepTicksFast(): void {
  process.nextTick(() => {
    kept.push(executionAsyncResource());
  });
}

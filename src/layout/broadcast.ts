/** numpy's broadcasting of shapes against each other. */

/** The shape that all of them are repeated to, aligned at the right; undefined where they do not fit. */
export function broadcastShape(shapes: readonly (readonly number[])[]): number[] | undefined {
  const rank = Math.max(0, ...shapes.map(({ length }) => length));
  const joint = Array.from<number>({ length: rank }).fill(1);
  for (const shape of shapes) {
    for (const [i, length] of shape.entries()) {
      const axis = rank - shape.length + i;
      if (length === 1) continue;
      if (joint[axis] !== 1 && joint[axis] !== length) return undefined;
      joint[axis] = length;
    }
  }
  return joint;
}

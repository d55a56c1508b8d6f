/** `npm run build`: compiles the tree into dist, always afresh. */
import { build } from './bootstrap.mjs';

build();

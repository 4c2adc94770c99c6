import { runMatrix } from './matrix.ts';
import { webkitEngine } from './webkit-engine.ts';

runMatrix(webkitEngine);

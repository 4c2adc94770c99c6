import { webkitEngine } from './engines/webkit-engine.ts';
import { runMatrix } from './matrix.ts';

runMatrix(webkitEngine);

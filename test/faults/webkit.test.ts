import { playMatrix } from './matrix.ts';
import { webkitEngine } from './webkit-engine.ts';

playMatrix(webkitEngine);

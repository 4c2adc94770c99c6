import { chromiumEngine } from './engines/chromium-engine.ts';
import { runMatrix } from './matrix.ts';

runMatrix(chromiumEngine);

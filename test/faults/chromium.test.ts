import { chromiumEngine } from './chromium-engine.ts';
import { runMatrix } from './matrix.ts';

runMatrix(chromiumEngine);

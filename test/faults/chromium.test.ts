import { chromiumEngine } from './chromium-engine.ts';
import { playMatrix } from './matrix.ts';

playMatrix(chromiumEngine);

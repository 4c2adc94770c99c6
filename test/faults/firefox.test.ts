import { firefoxEngine } from './engines/firefox-engine.ts';
import { runMatrix } from './matrix.ts';

runMatrix(firefoxEngine);

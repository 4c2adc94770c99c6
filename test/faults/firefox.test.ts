import { firefoxEngine } from './firefox-engine.ts';
import { runMatrix } from './matrix.ts';

runMatrix(firefoxEngine);
